// The long lists of the dashboard in a real Chromium: the table, the feed as a page, and the page of one spot.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';

const spots = Array.from({ length: 1_200 }, (_, i) => `t-${i + 1}`);

let platform, browser, page, faults, absent;

before(async () => {
  platform = await Platform.start();
  await platform.addLot('tower', 'The Tower', spots.slice(0, 600));
  await platform.request('POST', '/api/v1/lots/tower/zones', { id: 'roof', name: 'Roof', level: 9 });
  await platform.request('POST', '/api/v1/lots/tower/spots', spots.slice(600).map((spotId) => ({ spotId, zoneId: 'roof' })));
  await platform.addLot('yard', 'The Yard', ['y-1', 'y-2', 'y-3']);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
});

beforeEach(async () => {
  faults = [];
  absent = false;
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
});

afterEach(async () => {
  await page.close();
  assert.deepEqual(faults.filter((text) => !absent || !text.includes('404')), [], 'nothing is reported on the console');
});

const has = (...what) => on(page).has(...what);
const row = (id) => page.locator(`[data-testid="row"][data-spot-id="${id}"]`);
const found = () => page.getByTestId('found');
const lines = () => on(page).feed();
const parameter = (name) => new URL(page.url()).searchParams.get(name);

async function open(path) {
  await page.goto(platform.url + path);
  await on(page).connected();
}

test('the table has all spots, of which only those in sight are made; each can be reached by keyboard', async () => {
  await open('/table');
  await has(found(), 'data-total', '1203');
  await row('t-1').waitFor();
  assert.ok(await page.getByTestId('row').count() < 100);
  assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), '1204');
  await row('t-1').getByRole('link').focus();
  await page.keyboard.press('End');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').dataset.spotId), 'y-3');
  assert.ok(await row('y-3').isVisible());
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByTestId('spot-page').waitFor();
  assert.equal(new URL(page.url()).pathname, '/spots/y-2');
  await page.goBack();
  await row('y-2').waitFor();
  assert.ok(await row('y-2').isVisible(), 'who comes back finds the place again');
});

test('the table is searched, narrowed and ordered, and its address shows the same to others', async () => {
  await open('/table');
  await page.getByRole('searchbox').fill('t-77');
  await has(found(), 'data-found', '11');
  await page.getByLabel('Lot', { exact: true }).selectOption('tower');
  await page.getByLabel('Zone').selectOption('roof');
  await has(found(), 'data-found', '10');
  await page.getByRole('columnheader', { name: 'Spot' }).getByRole('button').click();
  assert.equal(await page.getByTestId('row').first().getAttribute('data-spot-id'), 't-779');
  assert.equal(await page.getByRole('columnheader', { name: 'Spot' }).getAttribute('aria-sort'), 'descending');
  assert.deepEqual(['q', 'lot', 'zone', 'sort'].map(parameter), ['t-77', 'tower', 'roof', '-name']);
  await page.reload();
  await has(found(), 'data-found', '10');
  assert.equal(await page.getByTestId('row').first().getAttribute('data-spot-id'), 't-779');
  await page.getByRole('button', { name: 'Show all' }).click();
  await has(found(), 'data-found', '1203');
});

test('a row shows its change where it is, comes to a narrowed table and leaves it; the counts are those of the rows', async () => {
  await open('/table?status=occupied');
  await page.getByTestId('table-empty').waitFor();
  await platform.act('t-5', 'occupy');
  await has(row('t-5'), 'data-status', 'occupied');
  await has(page.locator('.chip-row [data-value="occupied"]'), 'data-count', '1');
  await has(page.locator('.chip-row [data-value="free"]'), 'data-count', '1202');
  await platform.act('t-5', 'release');
  await row('t-5').waitFor({ state: 'detached' });
});

test('the spots that are shown are there as a file', async () => {
  await open('/lots/yard/table');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  assert.equal(text.trim().split('\r\n').length, 4, 'a head and three spots');
});

test('the page of a spot says what it is, follows it, and has what happened', async () => {
  await open('/spots/y-1');
  const spot = page.getByTestId('spot-page');
  await has(spot, 'data-status', 'free');
  await platform.act('y-1', 'occupy');
  await has(spot, 'data-status', 'occupied');
  await page.locator('[data-testid="trail-entry"][data-change="occupied"]').first().waitFor();
  assert.equal(await page.title(), 'y-1: occupied · Parkwire');
  await page.getByTestId('ongoing').waitFor();
  await page.getByTestId('strips').waitFor();
  await page.getByRole('button', { name: '7 days' }).click();
  assert.equal(parameter('range'), 'week');
  await platform.act('y-1', 'release');
  await has(spot, 'data-status', 'free');
  await page.getByTestId('spot-stays').getByRole('row').nth(1).waitFor();
});

test('of a spot that was removed one still sees what happened; of one that never was, nothing', async () => {
  await platform.request('POST', '/api/v1/lots/yard/spots', { spotId: 'y-gone' });
  await open('/spots/y-gone');
  await page.getByTestId('spot-page').waitFor();
  absent = true; // the browser tells of what is not there
  await platform.request('DELETE', '/api/v1/spots/y-gone');
  await page.getByTestId('spot-gone').waitFor();
  await page.locator('[data-testid="trail-entry"][data-change="removed"]').waitFor();
  await open('/spots/never');
  await page.getByText('No spot has the id “never”').waitFor();
});

test('the feed is paused, and goes on without a gap', async () => {
  await open('/changes');
  await page.getByTestId('feed-empty').waitFor();
  await platform.act('y-2', 'occupy');
  await lines().filter({ hasText: 'y-2' }).waitFor();
  await page.getByTestId('feed-pause').click();
  await platform.act('y-3', 'occupy');
  await platform.act('y-3', 'release');
  await page.getByTestId('feed-pause').filter({ hasText: '2' }).waitFor();
  assert.equal(await lines().count(), 1, 'what is seen stays as it is');
  await page.getByTestId('feed-pause').click();
  await lines().nth(2).waitFor();
  assert.deepEqual(await lines().evaluateAll((all) => all.map((line) => line.dataset.change)), ['released', 'occupied', 'occupied']);
  await platform.act('y-2', 'release');
});

test('the feed is narrowed to lots, statuses, changes and words, and its address shows the same to others', async () => {
  await open('/changes?lot=yard&change=faulted,repaired');
  await platform.act('y-1', 'occupy');
  await platform.act('t-9', 'fault');
  await platform.act('y-2', 'fault');
  await lines().filter({ hasText: 'y-2' }).waitFor();
  assert.equal(await lines().count(), 1);
  await page.getByRole('button', { name: 'Show all' }).click();
  await lines().nth(2).waitFor();
  await page.getByRole('searchbox').fill('tower');
  await lines().nth(1).waitFor({ state: 'detached' });
  assert.match(await lines().first().innerText(), /t-9/);
  assert.equal(parameter('q'), 'tower');
  await platform.act('y-1', 'release');
  for (const id of ['t-9', 'y-2']) await platform.act(id, 'repair');
});

test('who reads further down keeps their place while changes go on', async () => {
  await open('/changes');
  for (let i = 1; i <= 60; i++) await platform.act(`t-${i}`, 'occupy');
  await lines().filter({ hasText: 't-60' }).waitFor();
  await page.locator('main').evaluate((main) => main.scrollTo(0, 1_200));
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))); // the page has heard of it
  const place = await page.locator('main').evaluate(() => document.elementFromPoint(640, 400).closest('li').innerText);
  await platform.act('t-61', 'occupy');
  await page.getByTestId('feed-new').waitFor();
  assert.equal(await page.locator('main').evaluate(() => document.elementFromPoint(640, 400).closest('li').innerText), place);
  await page.getByTestId('feed-new').click();
  await lines().filter({ hasText: 't-61' }).waitFor();
});

test('on a telephone of 360 pixels nothing goes beyond its edge', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of ['/table', '/lots/tower/table', '/spots/t-1', '/changes']) {
    await open(path);
    await page.locator('main h1').waitFor();
    const [content, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(content <= shown, `${path} is ${content} px wide on a screen of ${shown} px`);
  }
});
