// Changing spots, zones and lots: shown at once, taken back where it is refused, and looked at first where it comes from a file.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';

let platform, browser, context, page, faults, serial = 0, lotId;

before(async () => {
  platform = await Platform.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** Each test has a lot of its own, and a page of somebody who may operate it. */
beforeEach(async () => {
  lotId = `lot-${++serial}`;
  await platform.addLot(lotId, `Lot ${serial}`, [1, 2, 3, 4].map((n) => `${lotId}-${n}`));
  ({ context, page, faults } = await visitor('--scope', 'operate'));
});

afterEach(async () => {
  await context.close();
  assert.deepEqual(faults.filter((fault) => !/the server responded with a status of 4\d\d/.test(fault)), [], 'nothing but refusals is on the console');
});

/** A page of somebody with such a token, or without one. */
async function visitor(...options) {
  const made = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' }); // answers are made up below
  made.setDefaultTimeout(60_000); // a machine may be busy
  const kept = options.length > 0 && JSON.stringify({ id: '', typed: platform.token(...options) });
  if (kept) await made.addInitScript((text) => sessionStorage.getItem('parkwire.signed-in') ?? sessionStorage.setItem('parkwire.signed-in', text), kept);
  const its = { context: made, page: await made.newPage(), faults: [] };
  its.page.on('console', (message) => message.type() === 'error' && its.faults.push(message.text()));
  its.page.on('pageerror', (error) => its.faults.push(String(error)));
  return its;
}

const has = (...what) => on(page).has(...what);
const spot = (n) => on(page).spot(`${lotId}-${n}`);
const row = (n) => page.locator(`[data-testid="manage-spot"][data-spot-id="${lotId}-${n}"]`);
const action = (name) => page.locator(`button[data-action="${name}"]`);
const dialog = () => page.locator('dialog');
const field = (name) => page.locator(`[name="${name}"]`);
const save = () => dialog().locator('button[type="submit"]').click();

async function open(path) {
  await page.goto(platform.url + path);
  await on(page).connected();
}

test('a spot is occupied, released, closed and reopened, and reserved for somebody', async () => {
  await open(`/lots/${lotId}`);
  await spot(1).click();
  for (const [name, status] of [['occupy', 'occupied'], ['release', 'free'], ['fault', 'out_of_service'], ['repair', 'free'], ['close', 'closed'], ['reopen', 'free']]) {
    const answered = page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.url().endsWith(`/${lotId}-1/${name}`)); // it is shown before
    await action(name).click();
    await has(spot(1), 'data-status', status);
    await answered;
    assert.equal((await platform.request('GET', `/api/v1/spots/${lotId}-1`)).status, status);
  }
  await action('reserve').click();
  await field('reference').fill('order-1744');
  await page.getByTestId('reserve').locator('button[type="submit"]').click();
  await has(spot(1), 'data-status', 'reserved');
  await page.getByTestId('reservation').filter({ hasText: 'order-1744' }).waitFor();
  const { reservation } = await platform.request('GET', `/api/v1/spots/${lotId}-1`);
  assert.equal(reservation.reference, 'order-1744');
  assert.ok(Date.parse(reservation.until) > Date.now());
  await action('end_reservation').click();
  await has(spot(1), 'data-status', 'free');
});

test('it is shown before it is answered, and taken back with the reason where it is refused', async () => {
  await open(`/lots/${lotId}`);
  let answer;
  const held = new Promise((resolve) => { answer = resolve; });
  await page.route('**/occupy', async (route) => {
    await held;
    await route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Conflict', status: 409, detail: 'The spot is being painted.' }) });
  });
  await spot(2).click();
  await action('occupy').click();
  await has(spot(2), 'data-status', 'occupied');
  await has(on(page).lot(lotId), 'data-free', '3');
  answer();
  await page.getByTestId('problem').filter({ hasText: 'The spot is being painted.' }).waitFor();
  await has(spot(2), 'data-status', 'free');
  await has(on(page).lot(lotId), 'data-free', '4');
});

test('who may only look sees no actions, and is told what it takes to manage', async () => {
  const looking = await visitor();
  await looking.page.goto(`${platform.url}/lots/${lotId}`);
  await on(looking.page).spot(`${lotId}-1`).click();
  await looking.page.locator('.detail').waitFor();
  assert.equal(await looking.page.locator('button[data-action]').count(), 0);
  await looking.page.goto(`${platform.url}/manage`);
  await looking.page.getByTestId('not-allowed').waitFor();
  await looking.context.close();

  const elsewhere = await visitor('--scope', 'operate', '--lots', 'lot-1');
  await elsewhere.page.goto(`${platform.url}/manage`);
  await elsewhere.page.locator('[data-testid="manage-lot"]').first().waitFor();
  assert.equal(await elsewhere.page.locator('[data-testid="manage-lot"]').count(), 1);
  await elsewhere.context.close();
});

test('a lot is added, with zones and numbered spots, and removed when it is empty', async () => {
  await open('/manage');
  await page.getByTestId('add-lot').click();
  await save();
  await page.locator('[name="id"][aria-invalid="true"]:focus').waitFor(); // the first field that is wrong has the keyboard
  const id = `${lotId}-new`;
  await field('id').fill(id);
  await field('name').fill('New & <b>bold</b>');
  await field('timeZone').fill('Europe/Berlin');
  await save();
  await page.locator('h1', { hasText: 'New & <b>bold</b>' }).waitFor();
  assert.equal((await platform.request('GET', `/api/v1/lots/${id}`)).timeZone, 'Europe/Berlin');

  await page.locator('.manage-tabs a').nth(1).click();
  await page.getByTestId('add-zone').click();
  await field('id').fill(`${id}-L1`);
  await field('name').fill('Level 1');
  await field('level').fill('1');
  await save();
  await page.locator(`[data-zone-id="${id}-L1"]`).waitFor();

  await page.locator('.manage-tabs a').nth(0).click();
  await page.getByTestId('add-spots').click();
  await field('how').selectOption('series');
  await field('before').fill(`${id}-`);
  await field('from').fill('08');
  await field('to').fill('11');
  await field('zoneId').selectOption(`${id}-L1`);
  await save();
  await page.locator(`[data-spot-id="${id}-11"]`).waitFor();
  const { items } = await platform.request('GET', `/api/v1/lots/${id}/spots`);
  assert.deepEqual(items.map(({ spotId, zoneId }) => [spotId, zoneId]), ['08', '09', '10', '11'].map((n) => [`${id}-${n}`, `${id}-L1`]));

  await page.locator('thead input[type="checkbox"]').check();
  await page.locator('.bulk-bar select').selectOption('remove');
  await page.getByTestId('do').click();
  await dialog().locator('.grave').click();
  await page.locator('[data-testid="manage-spot"]').first().waitFor({ state: 'detached' });
  await page.locator('.manage-tabs a').nth(2).click();
  await page.locator('section > .grave[aria-disabled="false"]').click();
  await dialog().locator('.grave').click();
  await page.waitForURL((url) => url.pathname === '/manage');
  await page.locator(`[data-testid="manage-lot"][data-lot-id="${id}"]`).waitFor({ state: 'detached' });
});

test('many spots are changed at once, and those that are refused are named', async () => {
  await platform.act(`${lotId}-3`, 'close');
  await open(`/manage/lots/${lotId}`);
  await page.locator('thead input[type="checkbox"]').check();
  await page.locator('.bulk-bar select').selectOption('act occupy');
  await page.getByTestId('do').click();
  await page.getByTestId('refused').filter({ hasText: `${lotId}-3` }).waitFor();
  for (const n of [1, 2, 4]) await has(row(n), 'data-status', 'occupied');
  await has(row(3), 'data-status', 'closed');
  await has(page.getByTestId('bulk'), 'data-picked', '1');
});

test('by keyboard many are changed when that is asked for and not before, and the keyboard is where it can be stopped, then where it is told', async () => {
  await open(`/manage/lots/${lotId}`);
  const focused = (what) => page.waitForFunction((text) => document.activeElement.textContent.startsWith(text), what);
  let answer;
  const held = new Promise((resolve) => { answer = resolve; });
  await page.route('**/occupy', async (route) => {
    await held;
    await route.continue();
  });
  await page.locator('thead input[type="checkbox"]').check();
  await page.locator('.bulk-bar select').focus();
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.locator('.bulk-bar select').inputValue(), 'act occupy');
  await page.waitForTimeout(300);
  for (const n of [1, 2, 3, 4]) assert.equal(await row(n).getAttribute('data-status'), 'free', 'nothing is done by choosing');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await focused('Stop');
  for (const n of [1, 2, 3, 4]) await has(row(n), 'data-status', 'occupied');
  answer();
  await focused('4 spots were changed.');
  await has(page.getByTestId('bulk'), 'data-picked', '0');
});

test('those that are refused stay picked, also where one looked at something else meanwhile', async () => {
  await platform.act(`${lotId}-3`, 'close');
  await open(`/manage/lots/${lotId}`);
  let answer;
  const held = new Promise((resolve) => { answer = resolve; });
  await page.route('**/occupy', async (route) => {
    await held;
    await route.continue();
  });
  await page.locator('thead input[type="checkbox"]').check();
  await page.locator('.bulk-bar select').selectOption('act occupy');
  await page.getByTestId('do').click();
  await page.locator('a[data-view-link="map"]').click();
  await page.locator('.map-page h1').waitFor();
  const refused = page.waitForResponse((given) => given.url().endsWith(`/${lotId}-3/occupy`));
  answer();
  assert.equal((await refused).status(), 409);
  await page.goBack();
  await page.getByTestId('refused').filter({ hasText: `${lotId}-3` }).waitFor();
  await has(page.getByTestId('bulk'), 'data-picked', '1');
  assert.ok(await row(3).locator('input').isChecked());
});

test('two who edit the same spot are told of each other, unless they edit different things', async () => {
  const path = `/api/v1/spots/${lotId}-1`;
  await open(`/manage/lots/${lotId}?spot=${lotId}-1`);
  await field('name').fill('First');
  await platform.request('PATCH', path, { category: 'electric' });
  await platform.act(`${lotId}-1`, 'occupy');
  await save();
  await dialog().waitFor({ state: 'detached' });
  const together = await platform.request('GET', path);
  assert.deepEqual([together.name, together.category], ['First', 'electric']);

  await row(1).locator('button').click();
  await field('name').fill('Mine');
  await platform.request('PATCH', path, { name: 'Theirs' });
  await save();
  await page.getByTestId('clash').filter({ hasText: 'Theirs' }).waitFor();
  assert.equal((await platform.request('GET', path)).name, 'Theirs');
  await save();
  await dialog().waitFor({ state: 'detached' });
  assert.equal((await platform.request('GET', path)).name, 'Mine');
  await row(1).locator('th', { hasText: 'Mine' }).waitFor();
});

test('a file is looked at first, then imported; what is not right is left out with line and reason', async () => {
  await platform.request('PATCH', `/api/v1/spots/${lotId}-1`, { name: 'Old' });
  await open(`/manage/import?lot=${lotId}`);
  const csv = `spotId,name,zoneId,lat,lon,color\n${lotId}-1,New,${lotId}-L1,48.1,11.5,red\n${lotId}-9,Nine,,48.2,11.6,blue\n${lotId}-2,,,north,11,green\n`;
  await page.locator('input[type="file"]').setInputFiles({ name: 'spots.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  const preview = page.getByTestId('preview');
  await preview.locator('tr[data-change="changed"]', { hasText: 'Old' }).filter({ hasText: 'New' }).waitFor();
  await preview.locator('tr[data-change="added"]', { hasText: `${lotId}-9` }).waitFor();
  await preview.filter({ hasText: `${lotId}-L1` }).waitFor();
  await page.getByTestId('faults').filter({ hasText: 'Line 4' }).filter({ hasText: 'north' }).waitFor();
  assert.equal((await platform.request('GET', `/api/v1/spots/${lotId}-1`)).name, 'Old', 'nothing is changed by looking');
  await page.getByTestId('import').click();
  await page.getByTestId('result').waitFor();
  const changed = await platform.request('GET', `/api/v1/spots/${lotId}-1`);
  assert.deepEqual([changed.name, changed.zoneId, changed.location], ['New', `${lotId}-L1`, { lat: 48.1, lon: 11.5 }]);
  await on(page).has(page.getByTestId('result').locator('[data-what="rejected"]'), 'data-count', '1');
});

test('GeoJSON is imported too, all or nothing', async () => {
  await open(`/manage/import?lot=${lotId}`);
  const feature = (id, properties, coordinates = [11.5, 48.1]) => ({ type: 'Feature', id, properties, geometry: { type: 'Point', coordinates } });
  const file = (...features) => ({ name: 'spots.geojson', mimeType: 'application/geo+json', buffer: Buffer.from(JSON.stringify({ type: 'FeatureCollection', features })) });
  await page.locator('.check input').nth(1).check();
  await page.locator('input[type="file"]').setInputFiles(file(feature(`${lotId}-7`, { name: 'Seven' }), feature(`${lotId}-8`, { category: 'submarine' })));
  await page.getByTestId('faults').filter({ hasText: 'submarine' }).waitFor();
  await has(page.getByTestId('import'), 'aria-disabled', 'true');
  await page.locator('input[type="file"]').setInputFiles(file(feature(`${lotId}-7`, { name: 'Seven' })));
  await has(page.getByTestId('import'), 'aria-disabled', 'false');
  await page.getByTestId('import').click();
  await page.getByTestId('result').waitFor();
  assert.deepEqual((await platform.request('GET', `/api/v1/spots/${lotId}-7`)).location, { lat: 48.1, lon: 11.5 });
});

test('lots come from a file as well', async () => {
  await open('/manage/import?of=lots');
  await page.locator('.picker summary').click();
  await page.locator('textarea').fill(`id,name,timeZone,lat,lon\n${lotId},Renamed,,,\n${lotId}-b,Added,Europe/Berlin,48.1,11.5\nnot/right,X,,,`);
  await page.locator('textarea').blur();
  await page.getByTestId('preview').locator('tr[data-change="changed"]', { hasText: 'Renamed' }).waitFor();
  await page.getByTestId('faults').filter({ hasText: 'not/right' }).waitFor();
  await page.getByTestId('import').click();
  await page.getByTestId('result').waitFor();
  assert.equal((await platform.request('GET', `/api/v1/lots/${lotId}`)).name, 'Renamed');
  assert.deepEqual((await platform.request('GET', `/api/v1/lots/${lotId}-b`)).location, { lat: 48.1, lon: 11.5 });
});

test('lots are searched while one types, and the address follows as often as browsers allow', async () => {
  await open('/manage?q=lot');
  const entry = page.locator(`[data-testid="manage-lot"][data-lot-id="${lotId}"]`);
  await entry.waitFor();
  const changes = await page.evaluate(async (text) => {
    let count = 0;
    const { replaceState } = history;
    history.replaceState = (...to) => (count++, replaceState.apply(history, to));
    const field = document.querySelector('main input[type="search"]');
    for (let i = 0; i < 150; i++) { // letters come and go: Safari takes 100 changes in 30 s and then throws
      field.value = i % 2 ? text : 'nothing';
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    return count;
  }, lotId);
  assert.ok(changes < 10, `the address was changed ${changes} times`);
  await page.waitForURL(`**/manage?q=${lotId}`);
  assert.equal(await page.locator('[data-testid="manage-lot"]').count(), 1);
  assert.equal(await page.locator('main input[type="search"]').inputValue(), lotId);
});
