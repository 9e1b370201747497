// The dashboard as a visitor sees it, in a real Chromium.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';

const spots = Array.from({ length: 40 }, (_, i) => `c-${String(i + 1).padStart(2, '0')}`);

let platform, browser, page, faults, hosts;

before(async () => {
  platform = await Platform.start();
  await platform.addLot('central', 'Central Station', spots);
  await platform.addLot('harbour', 'Harbour', ['h-01', 'h-02']);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
});

beforeEach(async () => {
  faults = [];
  hosts = new Set();
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => /^(http|ws)/.test(request.url()) && hosts.add(new URL(request.url()).host));
  page.on('websocket', (socket) => hosts.add(new URL(socket.url()).host));
});

afterEach(async () => {
  await page.close();
  assert.deepEqual([...hosts], [platform.listen], 'the page asks no other host than its own');
});

const lot = (id) => on(page).lot(id);
const spot = (id) => on(page).spot(id);
const feed = () => on(page).feed();
const has = (...what) => on(page).has(...what);
const connected = (state) => on(page).connected(state);

/** Opens the dashboard and a lot's grid. */
async function open(id = 'central') {
  await page.goto(platform.url);
  await connected();
  await lot(id).waitFor();
  if (!(await spot(id === 'central' ? 'c-01' : 'h-01').isVisible())) await lot(id).click();
  await spot(id === 'central' ? 'c-01' : 'h-01').waitFor();
}

test('it shows the lots with their counts', async () => {
  await open();
  await has(lot('central'), 'data-free', '40');
  await has(lot('central'), 'data-total', '40');
  await has(lot('harbour'), 'data-free', '2');
  assert.equal(await page.locator('[data-testid="spot"]').count(), 40, 'the grid shows each spot of the lot');
  assert.deepEqual(faults, [], 'nothing is reported on the console');
});

test('a change appears in the counts, the grid and the feed without a reload', async () => {
  await open();
  await page.evaluate(() => { window.notReloaded = true; });
  const changed = await platform.act('c-03', 'occupy');
  await has(spot('c-03'), 'data-status', 'occupied');
  await has(spot('c-03'), 'data-version', String(changed.version));
  await has(lot('central'), 'data-free', '39');
  await has(lot('central'), 'data-occupied', '1');
  await feed().first().waitFor();
  assert.match(await feed().first().innerText(), /c-03/i, 'the newest change is on top of the feed');

  await platform.act('c-04', 'close');
  await has(spot('c-04'), 'data-status', 'closed');
  await has(lot('central'), 'data-closed', '1');
  assert.match(await feed().first().innerText(), /c-04/i);

  await platform.request('POST', '/api/v1/lots/central/spots', { spotId: 'c-99' });
  await spot('c-99').waitFor();
  await has(lot('central'), 'data-total', '41');
  await platform.request('DELETE', '/api/v1/spots/c-99');
  await spot('c-99').waitFor({ state: 'detached' });
  await has(lot('central'), 'data-total', '40');

  await platform.act('h-01', 'occupy'); // of a lot whose grid is not shown
  await has(lot('harbour'), 'data-free', '1');

  await platform.act('c-03', 'release');
  await platform.act('c-04', 'reopen');
  await platform.act('h-01', 'release');
  await has(lot('central'), 'data-free', '40');
  assert.equal(await page.evaluate(() => window.notReloaded), true, 'the page was not reloaded');
  assert.deepEqual(faults, [], 'nothing is reported on the console');
});

test('killed and started again under the open page: it reconnects and shows what changed meanwhile', async () => {
  await open();
  await page.evaluate(() => { window.notReloaded = true; });
  await platform.act('c-05', 'occupy');
  await has(spot('c-05'), 'data-status', 'occupied');

  // The page is cut off first, so that changes happen that it cannot see.
  await platform.kill();
  await page.locator('[data-testid="connection"]:not([data-state="open"])').waitFor({ state: 'attached' });
  const passage = await page.context().newCDPSession(page);
  await passage.send('Network.enable');
  await passage.send('Network.emulateNetworkConditions', { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await platform.restart();
  const changed = await platform.act('c-06', 'occupy');
  await platform.act('c-05', 'release');
  await passage.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });

  await connected();
  await has(spot('c-06'), 'data-status', 'occupied');
  await has(spot('c-06'), 'data-version', String(changed.version));
  await has(spot('c-05'), 'data-status', 'free');
  await has(lot('central'), 'data-free', '39');
  faults = []; // a browser reports each attempt to connect that failed; from here on there is nothing to report
  await platform.act('c-06', 'release'); // and it follows again
  await has(spot('c-06'), 'data-status', 'free');
  await has(lot('central'), 'data-free', '40');
  assert.equal(await page.evaluate(() => window.notReloaded), true, 'the page was not reloaded');
  assert.deepEqual(faults, [], 'nothing is reported on the console');
});

test('while the event log is away the page says of when it is, and stays connected', async () => {
  let say;
  await page.routeWebSocket(/\/notifications/, (socket) => {
    socket.connectToServer(); // and what each side says goes to the other
    say = (message) => socket.send(JSON.stringify(message));
  });
  await open();
  say({ type: 'Stale', stale_since: new Date(Date.now() - 60_000).toISOString() });
  await connected('stale');
  const told = page.locator('.banners').getByText(/the event log is away\. What you see is from \d\d:\d\d:\d\d/); // it is announced too
  await told.waitFor();
  say({ type: 'Fresh' });
  await connected();
  await told.waitFor({ state: 'detached' });
  await platform.act('c-09', 'occupy');
  await has(spot('c-09'), 'data-status', 'occupied');
  await platform.act('c-09', 'release');
  await has(spot('c-09'), 'data-status', 'free');
  assert.deepEqual(faults, [], 'nothing is reported on the console');
});

test('a lot has an address of its own, and the back button leads out of it', async () => {
  await page.goto(platform.url);
  await lot('harbour').click();
  await spot('h-01').waitFor();
  assert.equal(new URL(page.url()).pathname, '/lots/harbour');
  assert.match(await page.title(), /2 free · Harbour/);
  await page.goBack();
  await spot('h-01').waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).pathname, '/');
  await page.goForward();
  await spot('h-01').waitFor();
  await page.reload();
  await spot('h-02').waitFor();
  await page.goto(`${platform.url}/lots/nowhere`);
  await page.getByText('There is no such lot').waitFor();
  assert.deepEqual(faults, [], 'nothing is reported on the console');
});

test('the feed can be narrowed to a lot, and the address says so', async () => {
  await open();
  await page.getByLabel('Show changes of').selectOption('harbour');
  await platform.act('h-02', 'occupy');
  await feed().filter({ hasText: 'h-02' }).waitFor();
  await platform.act('c-08', 'occupy');
  await has(spot('c-08'), 'data-status', 'occupied');
  assert.deepEqual(await feed().filter({ hasText: 'c-08' }).count(), 0, 'a change of another lot is not listed');
  assert.equal(new URL(page.url()).searchParams.get('feed'), 'harbour');
  await page.getByLabel('Show changes of').selectOption({ label: 'All lots' });
  await feed().filter({ hasText: 'c-08' }).waitFor();
  await platform.act('h-02', 'release');
  await platform.act('c-08', 'release');
});

test('by keyboard one goes from spot to spot and sees what is known of it', async () => {
  await open();
  await spot('c-01').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.spotId), 'c-03');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary', { name: 'Spot' });
  assert.match(await detail.innerText(), /c-40\s+free since/);
  await page.keyboard.press('Escape');
  await detail.waitFor({ state: 'detached' });
});

test('it fits a telephone of 360 pixels without scrolling sideways', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open();
  await platform.act('c-07', 'occupy');
  await has(spot('c-07'), 'data-status', 'occupied');
  await feed().first().waitFor();
  const [content, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content <= shown, `the page is ${content} px wide on a screen of ${shown} px`);
  await platform.act('c-07', 'release');
  assert.deepEqual(faults, [], 'nothing is reported on the console');
});
