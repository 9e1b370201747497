// Takes every view of the dashboard, light and dark, on a desktop (1280 pixels) and on a telephone (360): to be looked at, and for the documents.
//
//   node pictures.js FOLDER [VIEW...]   all of them, or some, as PNG
//   node pictures.js --docs             those of the documents, as WebP, into docs/images
//
// It runs `parkwire demo`, in which one lot more has a week behind it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';
import { startReceiver } from './receiver.js';

const hour = 3_600_000;
const forDocs = process.argv[2] === '--docs';
const [folder = 'pictures', ...chosen] = forDocs ? [fileURLToPath(new URL('../../docs/images', import.meta.url))] : process.argv.slice(2);

/** The screens. Of the documents' pictures two pixels are one, so that they are sharp on most screens. */
const screens = {
  desktop: { viewport: { width: 1280, height: 800 }, deviceScaleFactor: forDocs ? 1.5 : 1 },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
};
const themes = ['light', 'dark'];

/** Each view: its address, whose it is (undefined: of somebody who has not signed in), what to wait for, and what to do before the picture is taken. */
const views = {
  city: { path: '/' },
  lot: { path: '/lots/station-garage?level=1' },
  'lot-spot': { path: '/lots/market-square?spot=MKT-1-013', who: 'operator' },
  'lot-grid': { path: '/lots/old-town-streets?show=grid' },
  streets: { path: '/lots/old-town-streets' },
  map: { path: '/map', wait: '[data-testid="map"][data-ready]' },
  'map-lot': { path: '/map?lot=arena-parking', wait: '[data-testid="map"][data-ready]' },
  'map-spot': { path: '/map?lot=market-square&spot=MKT-1-013', wait: '[data-testid="map"][data-ready]' },
  table: { path: '/table?sort=-since' },
  'lot-table': { path: '/lots/harbour-garage/table?status=occupied,reserved' },
  'history-day': { path: '/lots/harbour-garage/history', wait: '[data-testid="chart"] canvas' },
  history: { path: '/lots/harbour-garage/history?range=week', wait: '[data-testid="heatmap"]' },
  'history-hours': { path: '/lots/harbour-garage/history?range=week', wait: '[data-testid="heatmap"]', act: (page) => page.getByTestId('heatmap').evaluate((it) => it.scrollIntoView({ block: 'center' })) },
  spot: { path: '/spots/HAR-12', wait: '[data-testid="trail-entry"]' },
  'spot-week': { path: '/spots/HAR-12?range=week', who: 'operator', wait: '[data-testid="trail-entry"]' },
  changes: { path: '/changes' },
  alerts: { path: '/alerts', who: 'anna', wait: '[data-testid="rule"]' },
  'alerts-rule': { path: '/alerts?rule=new&lot=market-square', who: 'anna', wait: '[data-testid="editor"]' },
  'alerts-told': { path: '/alerts?show=told', who: 'anna', wait: '[data-testid="decision"]' },
  'alerts-ways': { path: '/alerts?show=ways', who: 'anna', wait: '[data-testid="channel"]' },
  'alerts-sent': { path: '/alerts?show=sent', who: 'anna', wait: '[data-testid="delivery"]' },
  'alerts-nobody': { path: '/alerts' },
  manage: { path: '/manage', who: 'operator', wait: '[data-testid="manage-lot"]' },
  'manage-lot': {
    path: '/manage/lots/harbour-garage?status=free', who: 'operator', wait: '[data-testid="manage-spot"]',
    act: async (page) => {
      for (const n of [0, 2, 3]) await page.locator('[data-testid="manage-spot"] input[type="checkbox"]').nth(n).check();
    },
  },
  'manage-zones': { path: '/manage/lots/harbour-garage?tab=zones', who: 'operator', wait: '[data-zone-id]' },
  'manage-about': { path: '/manage/lots/harbour-garage?tab=lot', who: 'operator', wait: '.manage-tabs' },
  'manage-spot': { path: '/manage/lots/harbour-garage?spot=HAR-12', who: 'operator', wait: 'dialog[open]' },
  import: {
    path: '/manage/import?lot=harbour-garage', who: 'operator', wait: 'input[type="file"]',
    act: async (page) => {
      await page.locator('input[type="file"]').setInputFiles({ name: 'spots.csv', mimeType: 'text/csv', buffer: Buffer.from(importFile) });
      await page.getByTestId('preview').waitFor();
    },
  },
  settings: { path: '/', act: (page) => page.getByTestId('settings').click(), undo: (page) => page.keyboard.press('Escape') },
  account: { path: '/lots/market-square', who: 'operator', act: (page) => page.getByTestId('account').click(), undo: (page) => page.keyboard.press('Escape') },
  'sign-in': { path: '/', act: (page) => page.getByTestId('account').click(), undo: (page) => page.keyboard.press('Escape') },
  wall: { path: '/?kiosk' },
  'wall-map': { path: '/map?kiosk', wait: '[data-testid="map"][data-ready]' },
  'wall-lot': { path: '/lots/station-garage?kiosk' },
  german: { path: '/lots/market-square?lang=de' },
  rtl: { path: '/?dir=rtl' },
  nowhere: { path: '/lots/nowhere' },
  'feed-open': { path: '/', act: async (page) => page.locator('.feed h2 button').click({ timeout: 500 }).catch(() => undefined), undo: (page) => page.locator('.feed h2 button').click({ timeout: 500 }).catch(() => undefined) },
  stale: { path: '/', away: true },
  'stale-map': { path: '/map', away: true, wait: '[data-testid="map"][data-ready]' },
};

/** What the documents show: names there, and which picture. */
const documented = [
  ['dashboard-light', 'lot', 'desktop', 'light'], ['dashboard-dark', 'lot', 'desktop', 'dark'],
  ['map', 'map-lot', 'desktop', 'light'], ['history', 'history', 'desktop', 'dark'], ['phone-light', 'city', 'phone', 'light'], ['phone-dark', 'lot-spot', 'phone', 'dark'],
];

const importFile = `spotId,name,zoneId,category,lat,lon
HAR-1,"Deck 0, 1",harbour-0,electric,52.004,10.021
HAR-2,"Deck 0, two",harbour-0,standard,52.004,10.02104
HAR-201,"Deck 2, 1",harbour-2,standard,52.0042,10.021
HAR-202,"Deck 2, 2",harbour-2,submarine,52.0042,10.02104
HAR-203,"Deck 2, 3",harbour-2,standard,north,10.02108
`;

/** A lot with a week behind it: its spots fill in the morning and are free at night, less at the weekend. */
async function addPast(platform) {
  const at = (east, north) => ({ lat: 52.0045 + north / 111_320, lon: 10.0205 + east / 68_535 });
  await platform.request('POST', '/api/v1/lots', { id: 'harbour-garage', name: 'Harbour Garage', timeZone: 'Europe/Berlin', address: '3 Harbour Road', location: at(0, 0) });
  const began = Math.floor(Date.now() / hour) * hour - 8 * 24 * hour;
  const random = draw(11);
  const readings = [];
  const spots = Array.from({ length: 96 }, (_, i) => ({
    spotId: `HAR-${i + 1}`, name: `Deck ${Math.floor(i / 48)}, ${(i % 48) + 1}`, zoneId: `harbour-${Math.floor(i / 48)}`,
    category: i % 48 < 2 ? 'accessible' : i % 48 < 6 ? 'electric' : 'standard', location: at((i % 16) * 2.6, -Math.floor((i % 48) / 16) * 8.5),
    status: 'free', observedAt: new Date(began).toISOString(),
  }));
  for (const level of [0, 1]) await platform.request('POST', '/api/v1/lots/harbour-garage/zones', { id: `harbour-${level}`, name: `Deck ${level}`, level });
  await platform.request('POST', '/api/v1/lots/harbour-garage/spots', spots);
  for (const { spotId } of spots) {
    for (let time = began + random() * 9 * hour; ;) {
      const clock = new Date(time);
      const weekend = clock.getUTCDay() % 6 === 0;
      const busy = Math.max(0.04, Math.exp(-(((clock.getUTCHours() - 12) / 4.2) ** 2)) * (weekend ? 0.45 : 1));
      const stay = (0.6 + 3.4 * random() ** 2) * hour * (clock.getUTCHours() < 9 ? 2.2 : 1);
      if (random() < busy) {
        if (time + stay > Date.now() - 60_000) break;
        readings.push({ spotId, occupied: true, observedAt: time }, { spotId, occupied: false, observedAt: time + stay });
        time += stay;
      }
      time += (0.15 + random()) * hour;
      if (time > Date.now() - 60_000) break;
    }
    if (random() < 0.55) readings.push({ spotId, occupied: true, observedAt: Date.now() - random() * 2 * hour });
  }
  readings.sort((a, b) => a.observedAt - b.observedAt);
  for (let i = 0; i < readings.length; i += 1_000) {
    await platform.request('POST', '/api/v1/observations', readings.slice(i, i + 1_000).map((each) => ({ ...each, sensorId: `sensor-${each.spotId}`, observedAt: new Date(each.observedAt).toISOString() })));
  }
  await platform.request('PUT', '/api/v1/spots/HAR-12/reservation', { reference: 'order-1744', until: new Date(Date.now() + hour).toISOString() }).catch(() => undefined);
}

/** Rules, and ways of being told, of one person; some of the rules have spoken. */
async function addAlerts(platform, token, receiver) {
  const ask = async (path, body, deadline = Date.now() + 30_000) => {
    const answer = await fetch(platform.url + path, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (answer.status === 422 && Date.now() < deadline) { // the service of alerts has not heard of the lot yet
      await new Promise((resolve) => setTimeout(resolve, 200));
      return ask(path, body, deadline);
    }
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  };
  const channel = await ask('/api/v1/alerts/channels', { kind: 'webhook', name: 'Barrier at the gate', url: `${receiver.url}/barrier` });
  await ask(`/api/v1/alerts/channels/${channel.id}/test`);
  for (const rule of [
    { name: 'To work', target: { lotId: 'station-garage' }, condition: { type: 'free_at_least', count: 5, margin: 3 }, hours: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:30', to: '09:00' }], cooldownSeconds: 600 },
    { name: 'Charging at the harbour', target: { lotId: 'harbour-garage', category: 'electric' }, condition: { type: 'any_free' }, channels: [channel.id] },
    { name: 'Saturday shopping', target: { lotId: 'market-square' }, condition: { type: 'free_at_least', count: 1 }, quietHours: [{ from: '22:00', to: '07:00' }], channels: [channel.id] },
  ]) await ask('/api/v1/alerts/rules', { initially: 'say', ...rule });
}

/** Random numbers from 0 to below 1 that follow from a seed. */
function draw(seed) {
  return () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

mkdirSync(folder, { recursive: true });
const receiver = await startReceiver();
const platform = await Platform.demo('--seed', '7', '--alerts-vapid-subject', 'mailto:ops@example.org', '--alerts-webhook-allow', '127.0.0.1/32');
const browser = await launch();
try {
  const tokens = { operator: platform.token('--scope', 'operate', '--subject', 'Otto Operator'), anna: platform.token('--scope', 'read', '--subject', 'Anna') };
  await addPast(platform);
  await addAlerts(platform, tokens.anna, receiver);
  const wanted = forDocs ? new Set(documented.map(([, view]) => view)) : new Set(chosen.length > 0 ? chosen : Object.keys(views));
  const pages = [];
  for (const screen of Object.keys(screens)) {
    for (const theme of themes) {
      for (const who of [undefined, 'operator', 'anna']) {
        if (forDocs && !documented.some(([, view, on, colours]) => views[view].who === who && on === screen && colours === theme)) continue;
        if (!Object.entries(views).some(([name, view]) => view.who === who && wanted.has(name))) continue;
        const context = await browser.newContext({ ...screens[screen], colorScheme: theme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Berlin', serviceWorkers: 'block' });
        const kept = who && JSON.stringify({ id: '', typed: tokens[who] });
        if (kept) await context.addInitScript((text) => sessionStorage.setItem('parkwire.signed-in', text), kept);
        const page = await context.newPage();
        await page.goto(platform.url);
        await on(page).connected();
        pages.push({ screen, theme, who, page });
      }
    }
  }
  // The feed is that of a page which has been open for a while.
  for (const { page } of pages) await on(page).feed().first().waitFor({ state: 'attached', timeout: 60_000 });
  await pages[0].page.waitForTimeout(15_000);

  for (const away of [false, true]) {
    if (away && ![...wanted].some((name) => views[name].away)) break;
    if (away) await platform.kill();
    const left = [...pages];
    const lane = async () => { // several pages at a time, as most of the time something is waited for
      for (let next = left.shift(); next; next = left.shift()) await takeAll(next, away, wanted);
    };
    await Promise.all([lane(), lane(), lane()]);
  }
} finally {
  await browser.close();
  await platform.stop();
  await receiver.close();
}

/** Everything that is to be seen on one screen, in one theme, by one person. */
async function takeAll({ screen, theme, who, page }, away, wanted) {
  for (const [name, view] of Object.entries(views)) {
    if (view.who !== who || !wanted.has(name) || Boolean(view.away) !== away) continue;
    const files = documented.filter(([, of, on, colours]) => of === name && on === screen && colours === theme).map(([file]) => file);
    if (forDocs && files.length === 0) continue;
    await page.evaluate((path) => { // as a link does: the page goes on living
      history.pushState(null, '', path);
      dispatchEvent(new PopStateEvent('popstate'));
      document.activeElement?.blur();
    }, view.path);
    try {
      if (view.wait) await page.locator(view.wait).first().waitFor({ timeout: 30_000 });
      await page.waitForTimeout(700); // what is fetched, and what is drawn after it
      await view.act?.(page);
      await page.waitForTimeout(view.wait?.includes('map') ? 2_000 : 500);
    } catch (error) {
      console.error(`${name}, ${screen}, ${theme}: ${error.message.split('\n')[0]}`);
    }
    for (const file of files.length > 0 && forDocs ? files : [`${name}-${screen}-${theme}`]) await take(page, join(folder, file));
    await view.undo?.(page);
  }
}

async function take(page, path) {
  if (!forDocs) return page.screenshot({ path: `${path}.png` });
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
  writeFileSync(`${path}.webp`, Buffer.from(data, 'base64'));
}
