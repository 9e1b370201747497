// A real Chromium, and what the tests look for in the dashboard.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const executablePath = process.env.PARKWIRE_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** more: further arguments of the browser. */
export const launch = (more = []) => chromium.launch({
  executablePath,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', ...more,
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
export async function has(page, locator, attribute, value) {
  await locator.and(page.locator(`[${attribute}="${value}"]`)).first().waitFor({ state: 'attached', timeout: 60_000 })
    .catch(async () => assert.fail(
      `${locator} has no ${attribute}="${value}" after a minute, but ${await locator.first().getAttribute(attribute, { timeout: 1000 }).catch(() => 'is not there')}`,
    ));
}

/** Waits until the service worker of a page is there and the last state is kept. */
export async function kept(page) {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const sealed = () => page.evaluate(async () => {
    if (!(await indexedDB.databases()).some(({ name }) => name === 'parkwire')) return false;
    const of = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const database = await of(indexedDB.open('parkwire'));
    const asOf = await of(database.transaction('state').objectStore('state').get('as of'));
    database.close();
    return asOf > 0;
  });
  for (const deadline = Date.now() + 60_000; !(await sealed()); await page.waitForTimeout(200)) assert.ok(Date.now() < deadline, 'nothing is kept');
}
