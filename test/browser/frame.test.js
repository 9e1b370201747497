// What is around the views: languages, colours, wall displays, and what is there without a network.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { kept, launch, on } from './browser.js';
import { Platform } from './platform.js';

const views = ['/', '/map', '/table', '/changes', '/alerts', '/lots/central', '/lots/central/table', '/lots/central/history', '/spots/c-01', '/nowhere'];

let platform, browser, context, page, faults;

before(async () => {
  platform = await Platform.start();
  await platform.addLot('central', 'Central Station', ['c-01', 'c-02', 'c-03']);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
});

beforeEach(() => begin());
afterEach(() => context.close());

async function begin(options) {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  page = await context.newPage();
  faults = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
}

const open = async (path) => {
  await page.goto(platform.url + path);
  await on(page).connected();
};
const root = (attribute) => page.evaluate((name) => document.documentElement.getAttribute(name), attribute);
const view = (name) => page.locator(`a[data-view-link="${name}"]`);

test('opened without a platform it shows the last state as what it is, and goes on when the platform is back', async () => {
  await platform.act('c-02', 'occupy');
  await open('/lots/central');
  await on(page).has(on(page).spot('c-02'), 'data-status', 'occupied');
  await kept(page);
  await platform.kill();
  try {
    await page.reload();
    await on(page).spot('c-01').waitFor();
    await on(page).has(on(page).spot('c-02'), 'data-status', 'occupied');
    assert.match(await page.getByTestId('stale').innerText(), /What you see is from .*\d\d:\d\d:\d\d/);
    assert.notEqual(await page.getByTestId('connection').getAttribute('data-state'), 'open');
    await page.goto(`${platform.url}/`); // another address of the page is there too
    await on(page).has(on(page).lot('central'), 'data-occupied', '1');
  } finally {
    await platform.restart();
  }
  await platform.act('c-02', 'release');
  await on(page).connected();
  await on(page).has(on(page).lot('central'), 'data-free', '3');
  await page.getByTestId('stale').waitFor({ state: 'detached' });
});

test('a page that is open says that there is a newer version', async () => {
  await begin({ serviceWorkers: 'block' });
  await open('/');
  const own = await page.locator('script[type="module"]').getAttribute('src');
  await page.route(`${platform.url}/`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(own, '/assets/index-newer.js') });
  });
  await context.setOffline(true); // a network that comes back
  await context.setOffline(false);
  await page.getByTestId('newer').waitFor();
  await page.getByTestId('newer').getByRole('button', { name: 'Dismiss' }).click();
  await page.getByTestId('newer').waitFor({ state: 'detached' });
});

test('it speaks the language that the address says, or the one that was chosen', async () => {
  await open('/?lang=de');
  assert.equal(await root('lang'), 'de');
  assert.equal(await view('changes').innerText(), 'Änderungen');
  await page.locator('.city h1').filter({ hasText: /^\s*3\s+Plätze frei\s*$/ }).waitFor();
  await page.getByTestId('settings').click();
  await page.getByLabel('Sprache').selectOption('en');
  await view('changes').getByText('Changes').waitFor();
  assert.equal(new URL(page.url()).search, '', 'the address does not contradict the choice');
  await page.reload();
  assert.equal(await root('lang'), 'en');
  await begin({ locale: 'de-AT' });
  await open('/');
  assert.equal(await root('lang'), 'de', 'the browser prefers it');
  assert.deepEqual(faults, []);
});

test('colours and motion are those of the device, unless others were chosen', async () => {
  await begin({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await open('/');
  assert.deepEqual([await root('data-theme'), await root('data-motion')], ['dark', 'off']);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'light' && document.documentElement.dataset.motion === 'on');
  await page.getByTestId('settings').click();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('group', { name: 'Motion' }).getByRole('radio', { name: 'Off' }).check();
  await page.reload();
  assert.deepEqual([await root('data-theme'), await root('data-motion')], ['dark', 'off']);
  await page.goto(`${platform.url}/?theme=light&motion=on`);
  assert.deepEqual([await root('data-theme'), await root('data-motion')], ['light', 'on'], 'the address goes before the choice');
});

test('on a wall it has no controls, and Escape ends that', async () => {
  await open('/?kiosk');
  assert.equal(await view('map').count(), 0);
  assert.equal(await page.getByTestId('settings').count(), 0);
  assert.equal(await root('data-pointer'), 'hidden');
  await page.mouse.move(200, 200);
  assert.equal(await root('data-pointer'), 'shown');
  await page.keyboard.press('Escape');
  await view('map').waitFor();
  assert.equal(new URL(page.url()).search, '');
});

test('a link leads to a view whose heading has the focus, and the navigation says where one is', async () => {
  await open('/');
  await view('changes').click();
  await page.waitForFunction(() => document.activeElement?.matches('main h1'));
  assert.equal(await view('changes').getAttribute('aria-current'), 'page');
  assert.match(await page.title(), /Changes · Parkwire/);
  await page.goBack();
  await on(page).lot('central').waitFor();
});

test('every view fits a telephone of 360 pixels, in German and from the right', async () => {
  await begin({ viewport: { width: 360, height: 740 } });
  for (const path of views) {
    for (const setting of ['lang=de', 'dir=rtl']) {
      await page.goto(`${platform.url}${path}?${setting}`);
      await page.locator('main h1').first().waitFor();
      const [content, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(content <= shown, `${path}?${setting}: the page is ${content} px wide on a screen of ${shown} px`);
    }
  }
});
