// What the dashboard is for, line by line, on whatever platform runs below it: what it shows, what is done with it, and what a page survives.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { has, launch, on } from './browser.js';
import { deliver, startReceiver, subscribeTo } from './receiver.js';

const hour = 3_600_000;
const decks = [0, 1];
const bays = Array.from({ length: 20 }, (_, i) => i);
/** Beside the city of the demo, so that nobody but the tests changes anything there. */
const at = (east, north) => ({ lat: 51.985 + north / 111_320, lon: 10.02 + east / 68_600 });

/**
 * Adds the tests of every line to the present suite. its.start starts a platform, which is its.platform while they run; its.disturb, if there is one, ends and
 * starts parts of it while a test goes on.
 */
export function flows(its) {
  let receiver, contexts = [], faults;

  before(async () => {
    receiver = await startReceiver();
    its.browser = await launch();
    its.platform = await its.start();
    await furnish(its.platform);
  });

  after(async () => {
    await its.browser?.close();
    await its.platform?.stop();
    await receiver?.close();
  });

  afterEach(async () => {
    for (const context of contexts) await context.close();
    contexts = [];
  });

  /** A page of somebody. token: of whom has signed in; init: what runs in the page before everything else. */
  its.visitor = async ({ token, init = [], permissions, ...options } = {}) => {
    const context = await its.browser.newContext({ viewport: { width: 1280, height: 800 }, permissions, ...options });
    context.setDefaultTimeout(60_000); // a machine may be busy
    contexts.push(context);
    const kept = token && JSON.stringify({ id: '', typed: token });
    if (kept) await context.addInitScript((text) => sessionStorage.getItem('parkwire.signed-in') ?? sessionStorage.setItem('parkwire.signed-in', text), kept);
    for (const [script, argument] of init) await context.addInitScript(script, argument);
    const page = await context.newPage();
    faults = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(String(error)));
    return page;
  };

  its.open = async (page, path) => {
    await page.goto(its.platform.url + path);
    await on(page).connected();
  };
  const { visitor, open } = its;
  const put = async (spotId, status) => {
    const { status: now } = await its.platform.request('GET', `/api/v1/spots/${spotId}`);
    if (now !== status) await its.platform.act(spotId, status === 'free' ? 'release' : 'occupy');
  };
  const row = (page, id) => page.locator(`[data-testid="row"][data-spot-id="${id}"]`);

  test('views: each has an address that shows the same to others, and is a wall display with ?kiosk', async () => {
    const page = await visitor();
    for (const [path, hallmark] of [
      ['/?feed=quay', () => on(page).lot('quay')],
      ['/map?lot=quay&status=free', () => page.locator('[data-testid="map"][data-ready]')],
      ['/lots/quay?level=1', () => on(page).spot('q-1-3')],
      ['/lots/quay?show=grid', () => on(page).spot('q-0-3')],
      ['/lots/quay/table?status=free&sort=-name', () => row(page, 'q-1-19')],
      ['/table?q=deck+1&lot=quay', () => row(page, 'q-1-0')],
      ['/lots/quay/history?range=week', () => page.getByTestId('heatmap')],
      ['/spots/q-0-3?range=week', () => page.getByTestId('spot-page')],
      ['/changes?lot=quay&change=occupied', () => page.locator('.all-changes h1')],
    ]) {
      for (const address of [path, `${path}&kiosk`]) {
        await open(page, address);
        await hallmark().waitFor();
        assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, address, 'the address stays as it was shared');
        const controls = await page.locator('nav.views').count();
        assert.equal(controls, address === path ? 1 : 0, `${address} has ${controls} bars of views`);
      }
    }
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('live: a change is seen where it happens, in every view; counts add up in each picture; motion can be switched off', async () => {
    const [city, plan] = [await visitor({ init: [[watchCounts]] }), await visitor()];
    await Promise.all([open(city, '/?feed=quay'), open(plan, '/lots/quay')]);
    await plan.evaluate(countMotion);
    for (const [action, status] of [['occupy', 'occupied'], ['release', 'free'], ['close', 'closed'], ['reopen', 'free'], ['fault', 'out_of_service'], ['repair', 'free']]) {
      const { version } = await its.platform.act('q-0-5', action);
      await has(plan, on(plan).spot('q-0-5'), 'data-version', String(version));
      await has(plan, on(plan).spot('q-0-5'), 'data-status', status);
      await has(city, on(city).lot('quay'), 'data-free', status === 'free' ? '40' : '39');
    }
    await on(city).feed().nth(5).waitFor();
    assert.deepEqual(await on(city).feed().evaluateAll((all) => all.slice(0, 3).map((line) => line.dataset.change)), ['repaired', 'faulted', 'reopened']);
    await plan.waitForFunction(() => window.moved > 0);
    assert.deepEqual(await city.evaluate(() => window.wrong), [], 'what is shown adds up in every picture');

    await Promise.all([open(plan, '/lots/quay?motion=off'), open(city, '/table?lot=quay')]);
    await on(plan).spot('q-0-6').waitFor();
    await row(city, 'q-0-6').waitFor();
    await plan.evaluate(countMotion);
    await its.platform.act('q-0-6', 'occupy');
    await has(plan, on(plan).spot('q-0-6'), 'data-status', 'occupied');
    await has(city, row(city, 'q-0-6'), 'data-status', 'occupied');
    assert.equal(await plan.evaluate(() => window.moved), 0, 'nothing moves');
    await open(plan, '/spots/q-0-6');
    await its.platform.act('q-0-6', 'release');
    await has(plan, plan.getByTestId('spot-page'), 'data-status', 'free');
    await has(plan, plan.getByTestId('trail-entry').first(), 'data-change', 'released');
    await has(city, row(city, 'q-0-6'), 'data-status', 'free');
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('honest: a sensor that has gone silent is grey and counted as unknown, never as free', async () => {
    await its.platform.request('POST', '/api/v1/lots', { id: 'mole', name: 'The Mole' });
    await its.platform.request('POST', '/api/v1/lots/mole/spots', { spotId: 'm-2' });
    const page = await visitor();
    await open(page, '/lots/mole');
    await on(page).spot('m-2').waitFor();
    await its.platform.request('POST', '/api/v1/lots/mole/spots', { spotId: 'm-1', heartbeatSeconds: 1, status: 'free', observedAt: new Date().toISOString() });
    await has(page, on(page).spot('m-1'), 'data-status', 'unknown');
    await has(page, on(page).lot('mole'), 'data-unknown', '1');
    await has(page, on(page).lot('mole'), 'data-free', '1');
    await has(page, on(page).feed().filter({ hasText: 'm-1' }), 'data-change', 'signal_lost');
    await its.platform.request('PATCH', '/api/v1/spots/m-1', { heartbeatSeconds: 0 });
    await its.platform.request('POST', '/api/v1/observations', [{ spotId: 'm-1', occupied: false, observedAt: new Date().toISOString() }]);
    await has(page, on(page).spot('m-1'), 'data-status', 'free');
    await has(page, on(page).lot('mole'), 'data-free', '2');
  });

  test('history: occupancy of a day and a week, the hours of the week, stays and turnover, each with a table', async () => {
    const page = await visitor();
    await page.goto(`${its.platform.url}/lots/slip/history`);
    const stays = page.locator('[data-figure="stays"] strong');
    for (const deadline = Date.now() + 60_000; (await stays.textContent()) !== '3'; await page.waitForTimeout(500)) { // the service reads the log at its own pace
      assert.ok(Date.now() < deadline, `there are ${await stays.textContent()} stays`);
      await page.reload();
    }
    await page.locator('canvas').nth(2).waitFor(); // drawn two frames after the figures
    assert.equal(await page.getByTestId('chart').count(), 3);
    assert.equal(await page.locator('details.numbers').count(), 3, 'each chart has its numbers');
    await page.locator('button[data-range="week"]').click();
    await page.locator('[data-testid="history"][data-range="week"]').waitFor();
    await page.locator('details.numbers summary').first().click();
    await page.locator('.scroll tbody tr').nth(167).waitFor();
    await page.getByTestId('heatmap').locator('td').nth(167).waitFor();
    assert.match(await page.locator('.quantiles [data-key="longest"]').textContent(), /9 hr/);
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('acting: lots and spots are added, edited, imported with a preview, and changed; what the platform refuses is taken back with the reason', async () => {
    const page = await visitor({ token: await its.platform.token('--scope', 'operate', '--subject', 'otto') });
    const action = (name) => page.locator(`button[data-action="${name}"]`);
    const save = () => page.locator('dialog button[type="submit"]').click();
    await open(page, '/manage');
    await page.getByTestId('add-lot').click();
    await page.locator('[name="id"]').fill('pier');
    await page.locator('[name="name"]').fill('The Pier');
    await save();
    await page.locator('h1', { hasText: 'The Pier' }).waitFor();
    await page.getByTestId('add-spots').click();
    await page.locator('[name="how"]').selectOption('series');
    await page.locator('[name="before"]').fill('p-');
    await page.locator('[name="from"]').fill('1');
    await page.locator('[name="to"]').fill('4');
    await save();
    await page.locator('[data-testid="manage-spot"][data-spot-id="p-4"] button').click();
    await page.locator('[name="name"]').fill('At the lighthouse');
    await save();
    await page.locator('[data-testid="manage-spot"]', { hasText: 'At the lighthouse' }).waitFor();
    await page.locator('dialog').waitFor({ state: 'detached' }); // it is answered too

    for (const [name, mimeType, text] of [
      ['spots.csv', 'text/csv', 'spotId,name,lat,lon\np-1,First,51.98,10.03\np-5,Fifth,51.98,10.031\n'],
      ['spots.geojson', 'application/geo+json', JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', id: 'p-6', properties: { name: 'Sixth' }, geometry: { type: 'Point', coordinates: [10.032, 51.98] } }] })],
    ]) {
      await open(page, '/manage/import?lot=pier');
      await page.locator('input[type="file"]').setInputFiles({ name, mimeType, buffer: Buffer.from(text) });
      await page.getByTestId('preview').locator('tr[data-change="added"]').waitFor();
      await page.getByTestId('import').click();
      await page.getByTestId('result').waitFor();
    }
    const { items } = await its.platform.request('GET', '/api/v1/lots/pier/spots');
    assert.deepEqual(items.map(({ spotId, name }) => [spotId, name]), [['p-1', 'First'], ['p-2', undefined], ['p-3', undefined], ['p-4', 'At the lighthouse'], ['p-5', 'Fifth'], ['p-6', 'Sixth']]);

    await open(page, '/lots/pier');
    await on(page).spot('p-2').click();
    for (const [name, status] of [['occupy', 'occupied'], ['release', 'free'], ['fault', 'out_of_service'], ['repair', 'free'], ['close', 'closed'], ['reopen', 'free']]) {
      await action(name).click();
      await has(page, on(page).spot('p-2'), 'data-status', status);
    }
    await action('reserve').click();
    await page.locator('[name="reference"]').fill('order-7');
    await page.getByTestId('reserve').locator('button[type="submit"]').click();
    await has(page, on(page).spot('p-2'), 'data-status', 'reserved');

    let seenAtOnce;
    await page.route('**/api/v1/spots/p-3/occupy', async (route) => { // somebody was quicker, and the page has not heard of it yet
      seenAtOnce = await on(page).spot('p-3').getAttribute('data-status');
      await its.platform.act('p-3', 'close');
      await route.continue();
    });
    await on(page).spot('p-3').click();
    await action('occupy').click();
    await page.getByTestId('problem').waitFor();
    assert.equal(seenAtOnce, 'occupied', 'it is shown before it is answered');
    await has(page, on(page).spot('p-3'), 'data-status', 'closed');
    await has(page, on(page).lot('pier'), 'data-occupied', '0');
    assert.deepEqual(faults.filter((fault) => !fault.includes('409')), [], 'nothing but the refusal is on the console');
  });

  test('telling: of a spot that is free, once, outside quiet hours, in the page and in a browser that is closed', async () => {
    const token = await its.platform.token('--scope', 'read', '--subject', 'anna');
    const path = `/push-${Math.random()}`;
    const page = await visitor({ token, permissions: ['notifications'], init: [[subscribeTo, receiver.url + path]] });
    for (const id of ['d-1', 'd-2']) await put(id, 'occupied');
    const span = async (field, from, to) => {
      for (const [name, hours] of [['from', from], ['to', to]]) {
        const time = from === to ? '00:00' : `${String((new Date().getUTCHours() + hours) % 24).padStart(2, '0')}:00`;
        await page.getByTestId(field).locator(`input[name="${name}"]`).fill(time);
      }
    };
    await open(page, '/alerts?show=ways');
    const own = page.getByTestId('this-browser');
    await own.getByRole('button', { name: 'Notify this browser' }).click();
    await has(page, own, 'data-state', 'active');
    await open(page, '/alerts?rule=new&lot=dock');
    await page.getByLabel('Name', { exact: true }).fill('The dock');
    await page.getByRole('radio', { name: 'Once', exact: true }).check();
    await page.getByRole('button', { name: 'Add days and hours' }).click();
    await page.getByRole('button', { name: 'Add quiet hours' }).click();
    await span('hours', 0, 0); // the whole day, every day
    for (const day of await page.getByTestId('hours').getByRole('checkbox').all()) await day.check();
    await span('quietHours', 12, 13); // from now
    await page.getByRole('checkbox', { name: /Browser/ }).check();
    await page.getByTestId('editor').getByRole('button', { name: 'Save' }).click();
    await has(page, page.getByTestId('rule'), 'data-state', 'armed');
    const other = await page.context().newPage();
    await open(other, '/map');
    await put('d-1', 'free');
    for (const each of [page, other]) await each.getByTestId('toast').filter({ hasText: 'Dock Street: spot d-1 is free.' }).waitFor();
    await has(page, page.getByTestId('rule'), 'data-state', 'done');
    assert.equal((await receiver.first(path)).headers['content-encoding'], 'aes128gcm');
    const { items: [decision] } = await (await fetch(`${its.platform.url}/api/v1/alerts/decisions`, { headers: { authorization: `Bearer ${token}` } })).json();
    assert.deepEqual(await deliver(page.context(), page, { id: 'x', type: 'alert.fired', data: decision }), ['The dock', 'Dock Street: spot d-1 is free.', '/spots/d-1']);
    for (const id of ['d-1', 'd-2']) await put(id, 'free');
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('for everyone: by keyboard alone, in German, in the dark; the page can be installed', async () => {
    const page = await visitor({ locale: 'de-DE', colorScheme: 'dark', reducedMotion: 'reduce' });
    await open(page, '/');
    assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme, document.documentElement.dataset.motion]), ['de', 'dark', 'off']);
    await on(page).lot('quay').focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.textContent === 'Quay Garage');
    await on(page).spot('q-0-13').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.activeElement?.dataset.spotId === 'q-0-14');
    await its.platform.request('POST', '/api/v1/lots/quay/zones', { id: 'quay-2', name: 'Deck 2', level: 2 });
    await its.platform.request('POST', '/api/v1/lots/quay/spots', { spotId: 'q-2-0', zoneId: 'quay-2' });
    await page.locator('[data-level="2"]').waitFor(); // the plan is another one
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const detail = page.locator('.detail');
    await detail.filter({ hasText: 'Deck 0, 16' }).filter({ hasText: 'frei' }).waitFor();
    await page.keyboard.press('Escape');
    await detail.waitFor({ state: 'detached' });
    await its.platform.request('DELETE', '/api/v1/spots/q-2-0');
    const { display, icons, start_url: start } = await (await fetch(new URL(await page.locator('link[rel="manifest"]').getAttribute('href'), its.platform.url))).json();
    assert.deepEqual([display, start, icons.length > 0], ['standalone', '/', true]);
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('on a telephone: by finger from view to view, to a spot and to what happened, and nothing is wider than the screen', async () => {
    const page = await visitor({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    await open(page, '/');
    const fits = async () => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${page.url()} is wider than the screen`);
    for (const view of ['map', 'table', 'changes', 'alerts', 'city']) {
      await page.locator(`a[data-view-link="${view}"]`).tap();
      await page.locator('main h1').first().waitFor();
      await fits();
    }
    await on(page).lot('quay').tap();
    await on(page).spot('q-0-2').tap();
    await page.locator('.detail').filter({ hasText: 'Deck 0, 3' }).waitFor();
    await fits();
    await its.platform.act('q-0-2', 'occupy');
    await has(page, on(page).spot('q-0-2'), 'data-status', 'occupied');
    await page.locator('.detail').filter({ hasText: 'occupied' }).waitFor();
    await page.locator('.detail button.plain').tap();
    await page.locator('.feed h2 button').tap();
    await has(page, page.locator('.feed'), 'data-unfolded', 'true');
    await on(page).feed().filter({ hasText: 'Deck 0, 3' }).first().waitFor();
    await fits();
    await its.platform.act('q-0-2', 'release');
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('two pages agree with each other and with the platform after 300 random changes', async (t) => {
    const { platform } = its;
    await platform.addLot('basin', 'The Basin', bays.map((i) => `b-${i}`));
    await platform.request('POST', '/api/v1/lots/basin/zones', { id: 'basin-1', name: 'Inner' });
    const tall = { viewport: { width: 1280, height: 2_000 } }; // all bays are in sight
    const [first, second] = [await visitor(tall), await visitor(tall)];
    await Promise.all([open(first, '/'), open(second, '/lots/basin')]);
    await Promise.all([first, second].map((page) => page.evaluate(() => { window.notReloaded = true; })));
    const seed = Date.now() % 1_000_000;
    t.diagnostic(`seed ${seed}`);
    const until = new Date(Date.now() + hour).toISOString();
    const spots = bays.map((i) => `b-${i}`);
    const changes = [
      ...['occupy', 'release', 'close', 'reopen', 'fault', 'repair'].map((action) => (id) => platform.act(id, action)),
      (id) => platform.request('PUT', `/api/v1/spots/${id}/reservation`, { reference: 'anna', until }),
      (id) => platform.request('DELETE', `/api/v1/spots/${id}/reservation`),
      (id) => platform.request('PATCH', `/api/v1/spots/${id}`, { name: `Bay ${id}`, zoneId: 'basin-1' }),
      (id) => platform.request('PATCH', `/api/v1/spots/${id}`, { name: null, zoneId: null }),
      (id) => platform.request('DELETE', `/api/v1/spots/${id}`),
      () => {
        const spotId = `b-${spots.length}`;
        spots.push(spotId);
        return platform.request('POST', '/api/v1/lots/basin/spots', { spotId });
      },
    ];
    let refused = 0;
    const some = async (draw, n) => {
      const pick = (list) => list[Math.floor(draw() * list.length)];
      for (let i = 0; i < n; i++) {
        await pick(changes)(pick(spots)).catch((error) => {
          assert.match(String(error), its.disturb ? /: (404|409|502|503) / : /: (404|409) /, 'only what does not go together is refused');
          refused++;
        });
      }
    };
    const draws = [0, 1, 2].map((i) => mulberry(seed + i));
    await Promise.all(draws.map((draw) => some(draw, 50)));
    const disturbed = its.disturb?.();
    await Promise.all(draws.map((draw) => some(draw, 50)));
    await disturbed;
    t.diagnostic(`${refused} of 300 were refused`);
    assert.ok(refused < 250, 'most changes are none');

    const truth = await stateOf(platform, 'basin');
    await agree([first, second], platform, truth.counts);
    await on(first).lot('basin').click(); // the state is the page's own: nothing is loaded
    for (const page of [first, second]) {
      await eventually(() => shownSpots(page), truth.spots, 'the spots that are shown are not those of the platform');
      assert.equal(await page.evaluate(() => window.notReloaded), true, 'the page was not reloaded');
    }
    for (const page of [first, second]) assert.equal(await page.getByTestId('feed-gap').count(), 0, 'nothing was left out');
  });

  test('a tab that slept for an hour is right within a moment of waking', async (t) => {
    const { platform } = its;
    await platform.addLot('night', 'Night Yard', bays.map((i) => `n-${i}`));
    const page = await visitor();
    await page.clock.install();
    await open(page, '/lots/night');
    await on(page).spot('n-0').waitFor();
    const devices = await page.context().newCDPSession(page);
    await devices.send('Page.setWebLifecycleState', { state: 'frozen' });
    for (const occupied of [true, false, true]) {
      await platform.request('POST', '/api/v1/observations', bays.filter((i) => i % 2 === 0).map((i) => ({ spotId: `n-${i}`, occupied, observedAt: new Date().toISOString() })));
    }
    await platform.act('n-1', 'close');
    await platform.request('DELETE', '/api/v1/spots/n-3');
    const truth = await stateOf(platform, 'night');
    const woken = Date.now();
    await devices.send('Page.setWebLifecycleState', { state: 'active' });
    await page.clock.fastForward(hour);
    await eventually(() => shownSpots(page), truth.spots, 'what is shown is not what is');
    t.diagnostic(`right ${Date.now() - woken} ms after waking`);
    await on(page).connected();
    await has(page, on(page).lot('night'), 'data-occupied', '10');
    await platform.act('n-1', 'reopen');
    await has(page, on(page).spot('n-1'), 'data-status', 'free');
  });
}

/** Lots of the tests alone, one of them with a past. */
async function furnish(platform) {
  await platform.request('POST', '/api/v1/lots', { id: 'quay', name: 'Quay Garage', timeZone: 'Europe/Berlin', location: at(0, 0), address: '1 Quay' });
  for (const level of decks) {
    await platform.request('POST', '/api/v1/lots/quay/zones', { id: `quay-${level}`, name: `Deck ${level}`, level });
    await platform.request('POST', '/api/v1/lots/quay/spots', bays.map((i) => ({
      spotId: `q-${level}-${i}`, name: `Deck ${level}, ${i + 1}`, zoneId: `quay-${level}`, location: at((i % 10) * 2.6, Math.floor(i / 10) * 8),
    })));
  }
  const began = Date.now() - 20 * hour;
  const observedAt = (hours) => new Date(began + hours * hour).toISOString();
  const slips = ['s-1', 's-2', 's-3', 's-4'];
  await platform.request('POST', '/api/v1/lots', { id: 'slip', name: 'The Slip' });
  await platform.request('POST', '/api/v1/lots/slip/spots', slips.map((spotId) => ({ spotId, status: 'free', observedAt: observedAt(0) })));
  for (const [hours, occupied] of [[2, true], [11, false]]) {
    await platform.request('POST', '/api/v1/observations', slips.slice(1).map((spotId) => ({ spotId, occupied, observedAt: observedAt(hours) })));
  }
  await platform.addLot('dock', 'Dock Street', ['d-1', 'd-2']);
}

/** In the page: looks at the counts in each picture that is drawn, and keeps what does not add up. */
function watchCounts() {
  window.wrong = [];
  const digits = (text) => Number(text.replaceAll(/\D/g, ''));
  const look = () => {
    const cards = [...document.querySelectorAll('[data-testid="lot"]')].map(({ dataset }) => dataset);
    if (cards.length === 0) return;
    for (const each of cards) {
      const sum = ['free', 'reserved', 'occupied', 'unknown', 'outOfService', 'closed'].reduce((total, name) => total + Number(each[name]), 0);
      if (sum !== Number(each.total)) window.wrong.push(JSON.stringify(each));
    }
    const all = document.querySelector('.city h1 strong');
    const free = cards.reduce((total, each) => total + Number(each.free), 0);
    if (all && digits(all.textContent) !== free) window.wrong.push(`${free} are free in all lots, and ${all.textContent} stands above them`);
  };
  new MutationObserver(() => requestAnimationFrame(look)).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

/** In the page: counts what moves in the plan from now on. */
function countMotion() {
  window.moved = 0;
  document.querySelector('main').addEventListener('animationstart', () => window.moved++);
}

/** The counts of each lot, and the spots of one with their status and version, as the platform has them. */
async function stateOf(platform, lotId) {
  const { items: lots } = await platform.request('GET', '/api/v1/lots?limit=1000');
  const { items } = await platform.request('GET', `/api/v1/lots/${lotId}/spots?limit=1000`);
  const { counts } = lots.find(({ id }) => id === lotId);
  return { counts: { [lotId]: ofCounts(counts) }, spots: Object.fromEntries(items.map(({ spotId, status, version }) => [spotId, `${status} ${version}`]).sort()) };
}

const kinds = ['free', 'reserved', 'occupied', 'unknown', 'out_of_service', 'closed', 'total'];
const ofCounts = (counts) => kinds.map((kind) => counts[kind] ?? counts[camel(kind)]).join(' ');
const camel = (kind) => kind.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** The bays of a page: status and version by id. */
const shownSpots = async (page) => Object.fromEntries((await page.locator('[data-testid="spot"]').evaluateAll((all) => all.map(({ dataset }) => [dataset.spotId, `${dataset.status} ${dataset.version}`]))).sort());

/** The cards of a page: the counts of each lot. */
const shownCounts = async (page) => Object.fromEntries((await page.locator('[data-testid="lot"]').evaluateAll((all) => all.map(({ dataset }) => [dataset.lotId, { ...dataset }]))).map(([id, counts]) => [id, ofCounts(counts)]));

/** Waits until all pages show the same counts of every lot, and these of the lots that stand still. */
async function agree(pages, platform, still) {
  let seen;
  const same = async () => {
    seen = await Promise.all(pages.map(shownCounts));
    return seen.every((each) => JSON.stringify(each) === JSON.stringify(seen[0])) && Object.entries(still).every(([id, counts]) => seen[0][id] === counts);
  };
  for (const deadline = Date.now() + 60_000; !(await same()); await pause(20)) if (Date.now() > deadline) assert.fail(`${JSON.stringify(seen)} are not the same, with ${JSON.stringify(still)}`);
}

/** Waits until what is looked at is as expected. */
async function eventually(look, expected, message) {
  for (const deadline = Date.now() + 60_000; ; await pause(10)) {
    const seen = await look();
    if (JSON.stringify(seen) === JSON.stringify(expected)) return;
    if (Date.now() > deadline) return assert.deepEqual(seen, expected, message);
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Random numbers from 0 to below 1 that follow from a seed. */
function mulberry(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
