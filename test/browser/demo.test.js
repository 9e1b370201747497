// The dashboard on `parkwire demo`: a city of thousands of spots in which something happens all the time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { has, on } from './browser.js';
import { flows } from './flows.js';
import { Platform } from './platform.js';

const its = { start: () => Platform.demo('--seed', '7', '--alerts-vapid-subject', 'mailto:ops@example.org', '--alerts-webhook-allow', '127.0.0.1/32') };

flows(its);

test('the map has the whole city: thousands of spots, and above each lot what is free', async () => {
  const page = await its.visitor();
  await its.open(page, '/map');
  await page.locator('[data-testid="map"][data-ready]').waitFor();
  await page.locator('[data-testid="map-sign"][data-free]').first().waitFor();
  const shown = await page.locator('[data-testid="map-lot"]').evaluateAll((all) => all.map(({ dataset }) => dataset.lotId));
  assert.ok(shown.includes('station-garage') && shown.includes('arena-parking'), `${shown} are listed`);
  const total = await page.locator('.total').innerText();
  assert.ok(Number(total.replaceAll(',', '').match(/(\d+)\D*$/)[1]) > 2_500, `“${total}” is no city`);
});

test('what happens in the city moves nothing out of its place: changes come without a layout shift', async () => {
  const page = await its.visitor();
  await page.addInitScript(() => {
    window.shifted = 0; // as the layout instability interface counts it, of which a good page has 0.1 at most in five seconds
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => { window.shifted += value; })).observe({ type: 'layout-shift', buffered: true });
  });
  await its.open(page, '/');
  await on(page).feed().nth(12).waitFor();
  const shifted = await page.evaluate(() => window.shifted);
  assert.ok(shifted < 0.03, `${shifted} of the page moved`);
});

test('killed and started again under open pages: they say since when they are old, and go on without a gap', async () => {
  const { platform } = its;
  const [city, plan] = [await its.visitor(), await its.visitor()];
  await Promise.all([its.open(city, '/'), its.open(plan, '/lots/quay')]);
  await on(city).feed().first().waitFor(); // the city lives
  for (const page of [city, plan]) await page.evaluate(() => { window.notReloaded = true; });
  await platform.act('q-0-7', 'occupy');
  await has(plan, on(plan).spot('q-0-7'), 'data-status', 'occupied');

  await platform.kill();
  for (const page of [city, plan]) {
    await on(page).connected('reconnecting');
    assert.match(await page.getByTestId('stale').innerText(), /\d\d:\d\d:\d\d/, 'it says of when it is');
  }
  await platform.restart();
  await platform.act('q-0-8', 'occupy');
  for (const page of [city, plan]) {
    await on(page).connected();
    await page.getByTestId('stale').waitFor({ state: 'detached' });
    await has(page, on(page).lot('quay'), 'data-occupied', '2');
    assert.equal(await page.getByTestId('feed-gap').count(), 0, 'nothing was left out');
    assert.equal(await page.evaluate(() => window.notReloaded), true, 'the page was not reloaded');
  }
  await has(plan, on(plan).spot('q-0-8'), 'data-status', 'occupied');
  await city.waitForFunction((since) => [...document.querySelectorAll('[data-testid="feed-item"] time')].some(({ dateTime }) => Date.parse(dateTime) > since), Date.now()); // the city lives on
  for (const id of ['q-0-7', 'q-0-8']) await platform.act(id, 'release');
  await has(plan, on(plan).lot('quay'), 'data-free', '40');
});
