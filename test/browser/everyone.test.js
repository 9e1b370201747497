// Every view, for everyone: nothing that axe-core finds wrong by WCAG 2.2 AA, in both themes, on a desk and on a telephone of 360 pixels.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { violationsEverywhere } from './axe.js';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';

const hour = 3_600_000;
const ago = (hours) => new Date(Date.now() - hours * hour).toISOString();
const desk = { width: 1280, height: 800 };
const at = (east, north) => ({ lat: 52 + north / 111_320, lon: 10 + east / 68_535 });

let platform, closed, browser, anna;

/** Lots with and without a place, spots of every status, and something that has happened to them. */
before(async () => {
  platform = await Platform.start();
  const lot = { id: 'north', name: 'North Garage', address: '1 North Street', location: at(0, 300), timeZone: 'Europe/Berlin' };
  await platform.request('POST', '/api/v1/lots', lot);
  for (const level of [0, 1]) {
    await platform.request('POST', '/api/v1/lots/north/zones', { id: `north-${level}`, name: `Deck ${level}`, level });
    await platform.request('POST', '/api/v1/lots/north/spots', Array.from({ length: 20 }, (_, i) => ({
      spotId: `n-${level}-${i}`, name: `Deck ${level}, ${i + 1}`, zoneId: `north-${level}`, location: at((i % 10) * 2.6, 300 - Math.floor(i / 10) * 8), observedAt: ago(30),
      status: ['free', 'occupied', 'unknown', 'closed', 'out_of_service'][i < 10 ? i % 5 : 0], category: ['standard', 'electric', 'accessible', 'short_stay'][i % 4],
    })));
  }
  await platform.request('PUT', '/api/v1/spots/n-0-10/reservation', { reference: 'order-1744' });
  const report = (hours, occupied) => platform.request('POST', '/api/v1/observations', [{ spotId: 'n-1-15', occupied, observedAt: ago(hours) }]);
  await report(20, true);
  await report(14, false);
  await platform.addLot('central', 'Central Station', Array.from({ length: 12 }, (_, i) => `c-${i + 1}`));
  await platform.request('POST', '/api/v1/lots', { id: 'empty', name: 'Nothing Yet' });
  anna = platform.token('--scope', 'operate', '--subject', 'anna');
  closed = await Platform.start(async () => ['--read-public=false']);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
  await closed?.stop();
});

/** A page of this person, or of nobody. */
async function visit(token) {
  const context = await browser.newContext({ viewport: desk, reducedMotion: 'reduce', serviceWorkers: 'block' });
  context.setDefaultTimeout(60_000); // a machine may be busy
  if (token) await context.addInitScript((typed) => sessionStorage.setItem('parkwire.signed-in', JSON.stringify({ id: '', typed })), token);
  return context.newPage();
}

const clean = async (page) => assert.deepEqual(await violationsEverywhere(page), []);

/** What is opened, what must be there before it is looked at, and what is done until then. */
const views = {
  'the city': ['/', '.card'],
  'the map': ['/map', '[data-testid="map"][data-ready]'],
  'a lot and a spot on the map': ['/map?lot=north&spot=n-0-4', '.map-view .detail'],
  'moving the map by buttons': ['/map', '[data-testid="map-move"]', (page) => page.getByTestId('map-move').click()],
  'the plan of a lot, drawn to scale': ['/lots/north', '.drawn .bay'],
  'a spot that is picked in a plan': ['/lots/north?level=1&spot=n-1-3', '.detail'],
  'the plan of a lot in a grid': ['/lots/central', '.bays .bay'],
  'a lot without spots': ['/lots/empty', '.lot .none'],
  'the table': ['/table', '[data-testid="row"]'],
  'a table in which nothing matches': ['/table?q=nowhere', '[data-testid="table-empty"]'],
  'the table of a lot': ['/lots/north/table?status=free,unknown', '[data-testid="row"]'],
  'the history of a lot': ['/lots/north/history', 'table.heat td', (page) => page.locator('details.numbers summary').first().click()],
  'a spot': ['/spots/n-1-15', '[data-testid="spot-page"]'],
  'a spot that is not there': ['/spots/none', '[data-testid="spot-gone"]'],
  'the changes': ['/changes', '.all-changes', async (page) => {
    for (const action of ['occupy', 'release', 'close', 'reopen']) await platform.act('c-1', action);
    await on(page).feed().nth(3).waitFor();
    await page.getByTestId('feed-pause').click();
    await page.locator('.kinds summary').click();
  }],
  'alerts of somebody who has not signed in': ['/alerts', '[data-testid="sign-in-first"]'],
  'managing by somebody who may not': ['/manage', '[data-testid="not-allowed"]'],
  'an address that leads nowhere': ['/nowhere', '.notice'],
  'a lot that is not there': ['/lots/none', '.notice'],
  'the settings': ['/', '.card', (page) => page.getByTestId('settings').click()],
  'signing in with a token': ['/', '.card', (page) => page.getByTestId('account').click()],
  'a wall display of the city': ['/?kiosk', '.card'],
  'a wall display of a lot': ['/lots/north?kiosk', '.bay'],
  'a wall display of the changes': ['/changes?kiosk', '.all-changes'],
};

const hers = {
  'a spot that one may change': ['/spots/n-0-10', 'button[data-action]', (page) => page.locator('button[data-action="reserve"]').click()],
  'a bay that one may change': ['/lots/north?spot=n-0-3', '.detail button[data-action]'],
  'managing lots': ['/manage', '[data-testid="manage-lot"]'],
  'managing the spots of a lot': ['/manage/lots/north', '[data-testid="manage-spot"]', (page) => page.getByRole('checkbox', { name: 'Pick all of this page' }).check()],
  'managing zones': ['/manage/lots/north?tab=zones', '.entries li'],
  'managing a lot': ['/manage/lots/north?tab=lot', '[name="timeZone"]'],
  'editing a spot': ['/manage/lots/north?spot=n-0-10', 'dialog [name="name"]'],
  'adding spots': ['/manage/lots/north', '[data-testid="add-spots"]', (page) => page.getByTestId('add-spots').click()],
  'importing spots': ['/manage/import?lot=north', 'input[type="file"]', async (page) => {
    await page.locator('input[type="file"]').setInputFiles({ name: 'spots.csv', mimeType: 'text/csv', buffer: Buffer.from('spotId,name,zoneId,category\nn-0-1,Other,north-0,standard\nnew-1,New,new-zone,electric\n,,,\nbad,Bad,north-0,castle\n') });
    await page.getByTestId('import').waitFor();
  }],
  'importing lots': ['/manage/import?of=lots', 'input[type="file"]'],
  'her account': ['/', '.card', (page) => page.getByTestId('account').click()],
  'alerts without rules': ['/alerts', 'a[data-testid="new-rule"], [data-testid="new-rule"]'],
  'a new rule': ['/alerts?rule=new&lot=central', '[data-testid="editor"]', async (page) => {
    await page.getByRole('button', { name: 'Add days and hours' }).click();
    await page.getByRole('button', { name: 'Add quiet hours' }).click();
    await page.getByRole('radio', { name: 'So many spots are free' }).check();
    await page.locator('input[name="count"]').fill('');
    await page.getByTestId('editor').getByRole('button', { name: 'Save' }).click();
    await page.locator('[aria-invalid="true"]').first().waitFor();
  }],
};

async function look(page, [path, there, then = async () => {}]) {
  await page.setViewportSize(desk);
  await page.goto(platform.url + path);
  await on(page).connected();
  await page.locator(there).first().waitFor();
  await then(page);
  await clean(page);
}

// Two at a time, each on a page that stays open.
describe('nothing is in the way of anybody in', { concurrency: 2 }, () => {
  describe('what visitors see:', { concurrency: 1 }, () => {
    let page;
    before(async () => (page = await visit()));
    after(() => page?.context().close());
    for (const [name, view] of Object.entries(views)) test(name, () => look(page, view));
  });

  describe('what those see who have signed in:', { concurrency: 1 }, () => {
    let page;
    before(async () => (page = await visit(anna)));
    after(() => page?.context().close());
    for (const [name, view] of Object.entries(hers)) test(name, () => look(page, view));

    test('an alert, where it was told, and where it is sent', async () => {
      await platform.act('c-2', 'occupy');
      await page.setViewportSize(desk);
      await page.goto(`${platform.url}/alerts?show=ways`);
      const form = page.getByTestId('add-webhook');
      await form.getByLabel('Address').fill('https://example.org/hook');
      await form.getByRole('button', { name: 'Add the webhook' }).click();
      await page.getByTestId('secret').waitFor();
      await clean(page);
      await page.setViewportSize(desk);
      await page.goto(`${platform.url}/alerts?rule=new&spot=c-2`);
      await page.getByTestId('editor').getByRole('button', { name: 'Save' }).click();
      await on(page).has(page.getByTestId('rule'), 'data-state', 'armed');
      await platform.act('c-2', 'release');
      await page.getByTestId('toast').waitFor();
      await clean(page);
      await page.goto(`${platform.url}/alerts?show=told`);
      await page.getByTestId('decision').waitFor();
      await clean(page);
      await page.goto(`${platform.url}/alerts?show=sent`);
      await page.locator('.alerts .filters').waitFor();
      await clean(page);
    });
  });

  describe('what is shown instead:', { concurrency: 1 }, () => {
    let page;
    const arrive = async (token) => (page = await visit(token));
    afterEach(() => page?.context().close());

    test('where one must sign in', async () => {
      await arrive();
      await page.goto(closed.url);
      await page.getByTestId('locked').waitFor();
      await clean(page);
    });

    test('where there are no lots', async () => {
      await arrive(closed.token('--scope', 'admin'));
      await page.goto(closed.url);
      await page.getByText('No lots yet').waitFor();
      await clean(page);
    });

    test('where the platform cannot be reached', async () => {
      await arrive();
      await page.route('**/api/**', (route) => route.abort());
      await page.goto(platform.url);
      await page.getByText('Parkwire cannot be reached').first().waitFor();
      await clean(page);
    });

    test('where what is shown may be old', async () => {
      await closed.addLot('west', 'West Side', Array.from({ length: 12 }, (_, i) => `w-${i + 1}`));
      await arrive(closed.token('--scope', 'operate'));
      await page.goto(`${closed.url}/lots/west`);
      await on(page).connected();
      await closed.kill();
      await page.getByTestId('stale').waitFor();
      await clean(page);
    });

    test('in German, from the right', async () => {
      await arrive();
      await page.goto(`${platform.url}/lots/north?lang=de&dir=rtl&spot=n-0-3`);
      await page.locator('.detail').waitFor();
      await clean(page);
    });
  });
});
