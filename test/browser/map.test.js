// The map and the plan of a lot, in a real Chromium that draws them by software.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';
import { collectGarbage, goTo } from './tour.js';

const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADBwIAMCbHYQAAAABJRU5ErkJggg==', 'base64');
const at = (east, north) => ({ lat: 52 + north / 111_320, lon: 10 + east / 68_535 });

let platform, browser, page, faults, hosts, tiles, asked;

before(async () => {
  asked = [];
  tiles = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { 'Content-Type': 'image/png', 'Access-Control-Allow-Origin': '*' }).end(pixel);
  });
  await new Promise((resolve) => tiles.listen(0, '127.0.0.1', resolve));
  platform = await Platform.start();
  await platform.request('POST', '/api/v1/lots', { id: 'north', name: 'North Garage', location: at(0, 300) });
  for (const level of [0, 1]) {
    await platform.request('POST', '/api/v1/lots/north/zones', { id: `north-${level}`, name: `Deck ${level}`, level });
    await platform.request('POST', '/api/v1/lots/north/spots', Array.from({ length: 20 }, (_, i) => (
      { spotId: `n-${level}-${i}`, name: `Deck ${level}, ${i + 1}`, zoneId: `north-${level}`, location: at((i % 10) * 2.6, 300 - Math.floor(i / 10) * 8) }
    )));
  }
  await platform.request('POST', '/api/v1/lots', { id: 'south', name: 'South Field', location: at(0, -300) });
  await platform.request('POST', '/api/v1/lots/south/spots', [{ spotId: 's-1', location: at(0, -300) }, { spotId: 's-2', location: at(30, -300) }, { spotId: 's-3' }]);
  await platform.addLot('lost', 'Nobody Knows', ['l-1', 'l-2']);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
  tiles?.close();
});

beforeEach(() => begin());
afterEach(() => page.close());

async function begin(options = {}) {
  await page?.close();
  faults = [];
  hosts = new Set();
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => /^(http|ws)/.test(request.url()) && hosts.add(new URL(request.url()).host));
}

async function open(path, from = platform) {
  await page.goto(from.url + path);
  await on(page).connected();
}
const map = () => page.locator('[data-testid="map"][data-ready]');
const sign = (lots) => page.locator(`[data-testid="map-sign"][data-lots="${lots}"]`);
const listed = (id) => page.locator(`.map-spots [data-spot-id="${id}"]`);
const parameter = (name) => new URL(page.url()).searchParams.get(name);
const until = (what, message) => page.waitForFunction(what, undefined, { timeout: 20_000 }).catch(() => assert.fail(message));

/** Where a bay is, when it stays there: a plan is drawn anew when the names of its zones come. */
async function box(id) {
  for (const deadline = Date.now() + 60_000; ; await page.waitForTimeout(50)) {
    const is = await on(page).spot(id).boundingBox({ timeout: 60_000 });
    if (is) return is;
    assert.ok(Date.now() < deadline, `${id} is not drawn`);
  }
}

async function middle() {
  const { x, y, width, height } = await map().boundingBox();
  return { x: x + width / 2, y: y + height / 2 };
}

/** A picture of the middle of the map. */
async function picture() {
  const { x, y } = await middle();
  return (await page.screenshot({ clip: { x: x - 40, y: y - 40, width: 80, height: 80 } })).toString('base64');
}

/** Waits until the middle of the map is as it should be: what is drawn comes a moment after what is counted, where drawing is slow some seconds. */
async function seen(holds, message) {
  for (const deadline = Date.now() + 60_000; !holds(await picture()); await page.waitForTimeout(100)) assert.ok(Date.now() < deadline, message);
}

/** What is drawn when all that the page knows is. */
async function still() {
  await page.locator('.map-canvas[data-settled]').waitFor({ timeout: 60_000 });
  return picture();
}

test('the map shows the lots with their counts, and one finds a lot, its spots, and a spot by hand or by the address', async () => {
  await open('/map?motion=off');
  await map().waitFor();
  await on(page).has(sign('north'), 'data-free', '40');
  assert.equal(await page.locator('a[href*="/lots/lost"]').count(), 1, 'what has no place is listed, and leads to its plan');

  await page.locator('[data-testid="map-lot"][data-lot-id="north"]').click();
  assert.equal(parameter('lot'), 'north');
  await listed('n-0-4').click();
  assert.equal(parameter('spot'), 'n-0-4');
  const detail = page.locator('.map-view .detail');
  await detail.getByText('Deck 0, 5').waitFor();
  await detail.getByRole('button').first().click();
  await detail.waitFor({ state: 'detached' });
  await page.mouse.click((await middle()).x, (await middle()).y);
  await detail.waitFor();
  assert.match(parameter('spot'), /^n-[01]-4$/, 'the spot in the middle is the one that was looked at, or the one above it');

  const address = page.url();
  await begin();
  await page.goto(address);
  await page.locator('.map-view .detail').waitFor();
  assert.deepEqual(faults, [], 'nothing is reported on the console');
  assert.deepEqual([...hosts], [platform.listen], 'the page asks no other host than its own');
});

test('a change is seen where it happens, and nothing else changes', async () => {
  await open('/map?spot=s-1&motion=off');
  await map().waitFor();
  const free = await still();
  await platform.act('s-2', 'occupy');
  await on(page).has(sign('south'), 'data-free', '2');
  assert.equal(await still(), free, 'a neighbour looks as before');
  await platform.act('s-1', 'occupy');
  await on(page).has(sign('south'), 'data-free', '1');
  await seen((now) => now !== free, 'it looks occupied');
  await platform.act('s-1', 'release');
  await on(page).has(sign('south'), 'data-free', '2');
  await seen((now) => now === free, 'it looks free again');
  await platform.act('s-2', 'release');
});

test('statuses are shown and hidden, by an address that can be shared', async () => {
  await platform.act('s-1', 'occupy');
  await open('/map?lot=south&motion=off');
  await page.locator('.map-filter button[data-status="free"]').click();
  assert.equal(parameter('status'), 'free');
  await listed('s-2').waitFor();
  assert.equal(await listed('s-1').count(), 0);
  await page.reload();
  await on(page).has(page.locator('.map-filter button[data-status="free"]'), 'aria-pressed', 'true');
  await listed('s-2').waitFor();
  assert.equal(await listed('s-1').count(), 0);
  assert.equal(await page.getByText('1 spot has no place on the map').count(), 1);
  await platform.act('s-1', 'release');
  await listed('s-1').waitFor();
});

test('the keyboard reaches lots, spots and what is known of them', async () => {
  await open('/map?motion=off');
  await map().waitFor();
  await page.locator('[data-testid="map-lot"][data-lot-id="north"]').focus();
  await page.keyboard.press('Enter');
  await until(() => document.activeElement?.textContent === 'North Garage', 'the lot that was chosen has the focus');
  await listed('n-0-3').focus();
  for (let i = 0; i < 22; i++) await page.keyboard.press('ArrowDown'); // over what was not in sight, and over the name of a zone
  await until(() => document.activeElement?.dataset.spotId === 'n-1-5', 'the arrow keys go from spot to spot');
  await page.keyboard.press('Enter');
  await page.locator('.map-view .detail').getByText('Deck 1, 6').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.map-view .detail').waitFor({ state: 'detached' });
  const before = parameter('at');
  await page.locator('.map-canvas canvas').focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((was) => new URL(location.href).searchParams.get('at') !== was, before, { timeout: 20_000 });
});

test('the list leaves the focus to whoever has gone on, when its spots come back', async () => {
  await platform.request('POST', '/api/v1/lots', { id: 'alone', name: 'One Bay', location: at(300, 0) });
  await platform.request('POST', '/api/v1/lots/alone/spots', [{ spotId: 'a-1', location: at(300, 0) }]);
  await open('/map?lot=alone&status=free&motion=off');
  await listed('a-1').focus();
  await platform.act('a-1', 'occupy');
  await listed('a-1').waitFor({ state: 'detached' });
  await page.getByTestId('settings').focus();
  await platform.act('a-1', 'release');
  await listed('a-1').waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'settings');
  await platform.request('DELETE', '/api/v1/spots/a-1');
  await platform.request('DELETE', '/api/v1/lots/alone');
});

test('on a phone the map has room, the list is below, and nothing is wider than the screen', async () => {
  await begin({ viewport: { width: 360, height: 740 } });
  await open('/map');
  await map().waitFor();
  assert.ok((await map().boundingBox()).height > 300);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await open('/lots/north');
  await page.locator('[data-testid="drawing"]').nth(1).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  assert.ok((await box('n-0-1')).width >= 24, 'a bay can be hit');
});

test('a display on the wall has the map without what needs a hand', async () => {
  await open('/map?kiosk');
  await map().waitFor();
  await sign('north').waitFor();
  assert.equal(await page.locator('.map-beside, .map-controls').count(), 0);
});

test('a map that one leaves is given back: nothing that it was drawn on stays', async () => {
  await page.addInitScript(() => {
    window.drawnOn = [];
    const { getContext } = HTMLCanvasElement.prototype;
    HTMLCanvasElement.prototype.getContext = function (...wanted) {
      window.drawnOn.push(new WeakRef(this));
      return getContext.apply(this, wanted);
    };
  });
  await open('/');
  for (let i = 0; i < 3; i++) {
    await goTo(page, { path: '/map', ready: '.map-canvas[data-settled]' });
    await goTo(page, { path: '/', ready: '[data-testid="lot"]' });
  }
  const session = await page.context().newCDPSession(page);
  const held = () => page.evaluate(() => window.drawnOn.filter((canvas) => canvas.deref()).length);
  for (const deadline = Date.now() + 20_000; await held() > 0 && Date.now() < deadline; await page.waitForTimeout(200)) await collectGarbage(session);
  assert.ok(await page.evaluate(() => window.drawnOn.length) >= 3);
  assert.equal(await held(), 0, 'canvases of maps that nobody sees are held');
});

test('tiles that the operator has set lie under the spots, and their host is the only other one', async () => {
  const { port } = tiles.address();
  const other = await Platform.start(async () => [`--dashboard-tiles=http://127.0.0.1:${port}/{z}/{x}/{y}.png?key=a`, '--dashboard-tiles-attribution=© Somebody', '--dashboard-tiles-max-zoom=12']);
  try {
    await other.request('POST', '/api/v1/lots', { id: 'here', name: 'Here', location: at(0, 0) });
    await other.request('POST', '/api/v1/lots/here/spots', [{ spotId: 'h-1', location: at(0, 0) }]);
    await open('/map', other);
    await map().waitFor();
    await page.getByText('© Somebody').waitFor();
    for (let wait = 0; asked.length === 0 && wait < 100; wait++) await page.waitForTimeout(100);
    assert.match(asked[0] ?? 'nothing was asked for', /^\/12\/\d+\/\d+\.png\?key=a$/);
    assert.deepEqual([...hosts].sort(), [other.listen, `127.0.0.1:${port}`].sort());
    assert.deepEqual(faults, []);
  } finally {
    await other.stop();
  }
});

test('a plan is drawn as the spots lie, level by level, or as a tidy grid', async () => {
  await open('/lots/north');
  const drawing = page.locator('[data-testid="drawing"]');
  await drawing.nth(1).waitFor();
  const [first, next, behind] = [await box('n-0-0'), await box('n-0-1'), await box('n-0-10')];
  assert.ok(Math.abs(first.y - next.y) < 2 && next.x > first.x + first.width - 1, 'a row is a row');
  assert.ok(behind.y > first.y + first.height * 1.3, 'and a lane lies between two');

  await page.locator('[data-level="1"]').click();
  assert.equal(parameter('level'), '1');
  await on(page).spot('n-0-0').waitFor({ state: 'detached' });
  await on(page).spot('n-1-3').focus();
  await page.keyboard.press('ArrowRight');
  await platform.request('POST', '/api/v1/lots/north/zones', { id: 'north-2', name: 'Deck 2', level: 2 });
  await platform.request('POST', '/api/v1/lots/north/spots', { spotId: 'n-2-0', zoneId: 'north-2' });
  await page.locator('[data-level="2"]').waitFor(); // the plan is another one
  await page.keyboard.press('ArrowDown');
  await until(() => document.activeElement.dataset.spotId === 'n-1-14', 'the keyboard goes on from where it was');
  await page.keyboard.press('Enter');
  assert.equal(parameter('spot'), 'n-1-14');
  await page.locator('.detail').getByText('Deck 1, 15').waitFor();
  await on(page).has(on(page).spot('n-1-14'), 'data-picked', 'true');

  await page.reload();
  await on(page).has(on(page).spot('n-1-14'), 'data-picked', 'true');
  await page.getByRole('button', { name: 'Tidy grid' }).click();
  await drawing.first().waitFor({ state: 'detached' });
  assert.equal(parameter('show'), 'grid');
  await platform.act('n-1-14', 'occupy');
  await on(page).has(on(page).spot('n-1-14'), 'data-status', 'occupied');
  await platform.act('n-1-14', 'release');
  await open('/lots/lost');
  await on(page).spot('l-1').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Tidy grid' }).count(), 0, 'where nobody said where spots are, there is nothing to choose');
  assert.deepEqual(faults, []);
});

/** A lot with two levels, of more spots than are made at once. */
let built;
const tall = () => (built ??= (async () => {
  await platform.request('POST', '/api/v1/lots', { id: 'tall', name: 'Tall Garage' });
  for (const level of [0, 1]) {
    await platform.request('POST', '/api/v1/lots/tall/zones', { id: `tall-${level}`, name: `Deck ${level}`, level });
    await platform.request('POST', '/api/v1/lots/tall/spots', Array.from({ length: 400 * (level + 1) }, (_, i) => (
      { spotId: `t-${level}-${i}`, zoneId: `tall-${level}`, location: at((i % 20) * 2.6, -900 - Math.floor(i / 20) * 8) }
    )));
  }
})());

test('of a large plan the level that is chosen is there at once', async () => {
  await tall();
  for (const show of ['', '?show=grid']) {
    await open(`/lots/tall${show}`);
    await on(page).spot('t-0-0').waitFor();
    await page.locator('[data-level="1"]').click();
    await until(() => [...document.querySelectorAll('[data-spot-id^="t-1-"]')].filter((bay) => bay.getBoundingClientRect().top < innerHeight).length > 30, 'its bays are not there');
  }
  assert.deepEqual(faults, []);
});

test('who is at a bay of a large plan stays there, and the page where it is, whatever becomes of other bays', async () => {
  await tall();
  await open('/lots/tall?level=1&show=grid');
  const focused = () => page.evaluate(() => document.activeElement.dataset.spotId);
  const place = () => page.evaluate(() => document.querySelector('.bays').getBoundingClientRect().top);
  const rename = async (id, name) => {
    await platform.request('PATCH', `/api/v1/spots/${id}`, { name: `${id}, ${name}` }); // which leaves it where it is
    await on(page).spot(id).filter({ hasText: name }).waitFor();
  };
  await on(page).spot('t-1-25').focus();
  await page.keyboard.press('ArrowRight');
  await rename('t-1-39', 'one');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 't-1-27');

  await page.mouse.move(640, 500);
  await page.mouse.wheel(0, 2_400);
  await on(page).spot('t-1-39').waitFor({ state: 'detached' });
  const before = await place();
  const seen = await page.evaluate(() => [...document.querySelectorAll('.bay')].find((bay) => bay.getBoundingClientRect().top > 400).dataset.spotId);
  await rename(seen, 'another');
  assert.deepEqual([await focused(), await place()], ['t-1-27', before]);
  await platform.request('DELETE', '/api/v1/spots/t-1-27');
  await until(() => document.activeElement.dataset.spotId === 't-1-28', 'the next one has the focus');
  assert.ok(Math.abs(await place() - before) < 100, 'there may be a row less, and no more than that');
  assert.deepEqual(faults, []);
});
