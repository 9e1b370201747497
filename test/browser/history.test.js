// The past of a lot in a real Chromium: charts, tables, files, the hours of a week, and what is shown where there is no past.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch } from './browser.js';
import { Platform } from './platform.js';

const hour = 3_600_000;
const began = Math.floor(Date.now() / hour) * hour - 30 * hour;

let platform, browser, page, faults;

before(async () => {
  platform = await Platform.start();
  await platform.request('POST', '/api/v1/lots', { id: 'central', name: 'Central Station', timeZone: 'Asia/Kathmandu' });
  await platform.request('POST', '/api/v1/lots/central/zones', { id: 'roof', name: 'Roof' });
  const spots = ['c-1', 'c-2', 'c-3', 'c-4'];
  const at = (hours) => new Date(began + hours * hour).toISOString();
  await platform.request('POST', '/api/v1/lots/central/spots', spots.map((spotId, i) => ({ spotId, status: 'free', observedAt: at(0), ...(i === 3 && { zoneId: 'roof' }) })));
  // Two of four are occupied for 12 hours, then all of them for 3, then one.
  const report = (hours, ...readings) => platform.request('POST', '/api/v1/observations', readings.map(([spotId, occupied]) => ({ spotId, occupied, observedAt: at(hours) })));
  await report(6, ['c-1', true], ['c-2', true]);
  await report(18, ['c-3', true], ['c-4', true]);
  await report(21, ['c-2', false], ['c-3', false], ['c-4', false]);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
});

beforeEach(async () => {
  faults = [];
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, timezoneId: 'America/Sao_Paulo' });
  page.on('pageerror', (error) => faults.push(String(error)));
});

afterEach(async () => {
  await page.close();
  assert.deepEqual(faults, [], 'nothing goes wrong in the page');
});

const history = () => page.getByTestId('history');
const figure = (name) => page.locator(`[data-figure="${name}"]`);

/** Opens the history and waits until it tells of these stays: the service reads the log at its own pace. */
async function open(parameters = '', stays = '3') {
  await page.goto(`${platform.url}/lots/central/history${parameters}`);
  for (let attempt = 0; ; attempt++) {
    await figure('stays').waitFor({ timeout: 60_000 });
    if ((await figure('stays').locator('strong').textContent()) === stays) return;
    assert.ok(attempt < 60, `the stays are ${await figure('stays').textContent()}`);
    await page.waitForTimeout(500);
    await page.reload();
  }
}

test('it shows how full a lot was, and says it', async () => {
  await open('?range=week');
  assert.equal(await figure('now').textContent(), 'Now25%1 of 4 occupied');
  assert.equal(await figure('peak').locator('strong').textContent(), '100%');
  assert.match(await page.getByTestId('history-as-of').textContent(), /Asia\/Kathmandu, now UTC\+05:45/, 'by the clocks of the lot');
  assert.match(await page.getByTestId('chart').first().getAttribute('aria-label'), /at most 100% .* at least 0%/);
  await page.locator('canvas').nth(2).waitFor(); // drawn two frames after the figures
  assert.equal(await page.locator('canvas').count(), 3);
  await page.getByTestId('chart').first().locator('.u-over').hover();
  await page.locator('.keys .at').first().waitFor();
});

test('every chart is a table too, and a file', async () => {
  await open('?range=week');
  await page.locator('details.numbers summary').first().click();
  const rows = page.locator('.scroll tbody tr');
  assert.equal(await rows.count(), 169, 'a week and the hour that goes on');
  assert.match(await rows.nth(0).textContent(), /––0$/, 'of which nothing is known');
  const full = await rows.filter({ hasText: '100%' }).count();
  assert.ok(full >= 2 && full <= 4, `${full} hours were full; the lot’s hours begin at a quarter of ours`);
  for (const format of ['csv', 'parquet']) {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator(`a.as-file[href*="format=${format}"]`).first().click()]);
    assert.equal(file.suggestedFilename(), `metrics-central-hour.${format}`);
  }
});

test('what is looked at is in the address', async () => {
  await open();
  await page.locator('button[data-range="week"]').click();
  await page.locator('[data-testid="history"][data-range="week"]').waitFor();
  await page.getByTestId('history-zone').selectOption('roof');
  await page.waitForFunction(() => document.querySelector('[data-figure="stays"] strong').textContent === '1');
  assert.equal(new URL(page.url()).search, '?range=week&zone=roof');
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.waitForFunction(() => document.querySelector('[data-figure="stays"] strong').textContent === '0');
  assert.equal(await figure('now').count(), 0, 'the past is not live');
  await page.reload();
  await page.waitForFunction(() => document.querySelector('[data-figure="stays"] strong')?.textContent === '0');
  await page.getByRole('button', { name: 'Up to now' }).click();
  await figure('now').waitFor();
});

test('the hours of a week, and how long stays were', async () => {
  await open('?range=week');
  const cells = page.getByTestId('heatmap').locator('td');
  await cells.first().waitFor();
  assert.equal(await cells.count(), 168);
  assert.ok(await page.locator('td[data-shade="9"]').count() >= 2, 'the hours in which it was full');
  assert.ok(await page.locator('td[data-lack="none"]').count() > 100, 'and those of which nothing is known');
  assert.match(await page.getByTestId('peak-hours').textContent(), /^Peak hours: \d\d:00–\d\d:00/);
  await page.getByTestId('measure').selectOption('stay');
  assert.match(await page.locator('.shades').textContent(), /3 hr$/, 'half of the three that ended together');
  assert.match(await page.locator('.quantiles [data-key="longest"]').textContent(), /15 hr/);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.locator('table.heat[data-way="down"]').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, 'nothing is wider than a telephone');
});

test('it follows what is live', async () => {
  await open('?range=hour', '0');
  await platform.act('c-2', 'occupy');
  await page.waitForFunction(() => document.querySelector('[data-figure="now"]').textContent === 'Now50%2 of 4 occupied');
  await platform.act('c-2', 'release');
  await page.waitForFunction(() => document.querySelector('[data-figure="now"]').textContent === 'Now25%1 of 4 occupied');
  await page.waitForFunction(() => document.querySelector('[data-figure="stays"] strong').textContent === '1', undefined, { timeout: 40_000 }); // at its next turn
});

test('where there is no history it says so, and all else goes on; what was known stays when the platform is away', async () => {
  const answer = (slug) => (route) => route.fulfill({
    status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: `urn:parkwire:problem:${slug}`, title: 'Service Unavailable', status: 503 }),
  });
  const trouble = (slug) => page.locator(`[data-testid="history-trouble"][data-problem="${slug}"]`);
  await page.route('**/api/v1/lots/central/metrics?*', answer('service-not-configured'));
  await page.goto(`${platform.url}/lots/central/history`);
  await trouble('service-not-configured').waitFor();
  assert.equal(await page.locator('[data-testid="connection"]').getAttribute('data-state'), 'open');
  await page.unroute('**/api/v1/lots/central/metrics?*');
  await history().getByRole('button', { name: 'Try now' }).click();
  await figure('stays').waitFor();
  await page.route('**/api/v1/lots/central/metrics?*', (route) => route.abort());
  await page.locator('button[data-range="week"]').click();
  await trouble('unreachable').waitFor();
  assert.match(await trouble('unreachable').textContent(), /What you see was known before/);
  assert.equal(await figure('stays').count(), 1);
});
