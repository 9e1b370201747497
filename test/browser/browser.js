// A real Chromium, and what the tests look for in the dashboard.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const executablePath = process.env.PARKWIRE_TEST_CHROMIUM ?? '/usr/bin/chromium';

export const launch = () => chromium.launch({
  executablePath,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});

/** What the tests look for on a page. */
export const on = (page) => ({
  lot: (id) => page.locator(`[data-testid="lot"][data-lot-id="${id}"]`),
  spot: (id) => page.locator(`[data-testid="spot"][data-spot-id="${id}"]`),
  feed: () => page.locator('[data-testid="feed-item"]'),
  connected: (state = 'open') => has(page, page.locator('[data-testid="connection"]'), 'data-state', state),
  has: (locator, attribute, value) => has(page, locator, attribute, value),
});

/** Waits until an element has an attribute with this value. */
async function has(page, locator, attribute, value) {
  await locator.and(page.locator(`[${attribute}="${value}"]`)).first().waitFor({ state: 'attached', timeout: 60_000 })
    .catch(async () => assert.fail(
      `${locator} has no ${attribute}="${value}" after a minute, but ${await locator.first().getAttribute(attribute, { timeout: 1000 }).catch(() => 'is not there')}`,
    ));
}
