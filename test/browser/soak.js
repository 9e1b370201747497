// What the dashboard holds after an hour of the demo: `node test/browser/soak.js [--minutes 60] [--speed 240] [--out FOLDER]`. One page stays on the map; the other goes
// through all views again and again, and back to the city. Before each reading the garbage is collected.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';
import { drawn } from './soak-chart.js';
import { follow, heapOf, stopsOf } from './tour.js';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' }, speed: { type: 'string', default: '240' }, out: { type: 'string', default: '.' } } });
const minutes = Number(values.minutes);
const between = 60_000; // milliseconds from reading to reading

const platform = await Platform.demo('--speed', values.speed);
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => void platform.stop().then(() => process.exit(1)));
try {
  await stay(platform.url);
} finally {
  await platform.stop();
}

async function stay(url) {
  const browser = await launch();
  const pages = [];
  for (const [name, path] of [['on the map', '/map?motion=on'], ['through all views', '/']]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    page.setDefaultTimeout(600_000); // the machine may be busy with other things
    await page.goto(url + path);
    await on(page).connected();
    const session = await context.newCDPSession(page);
    pages.push({ name, page, session, readings: [] });
  }
  const [, touring] = pages;
  const stops = await stopsOf(touring.page, url);
  const begin = Date.now();
  for (let minute = 0; ; minute++) {
    await read(pages, minute, minute === 0 ? 0 : (Date.now() - begin) / 60_000);
    write(pages);
    if (minute >= minutes) break;
    await tour(touring.page, stops, begin + (minute + 1) * between);
  }
  await browser.close();
}

/** What was read so far. */
function write(pages) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'dashboard-heap.json'), JSON.stringify(pages.map(({ name, readings }) => ({ name, speed: Number(values.speed), readings })), null, 1));
  writeFileSync(join(values.out, 'dashboard-heap.svg'), drawn(pages));
}

/** Goes through the views as a person does, by the page's own links and buttons, and is back in the city in time. */
async function tour(page, stops, until) {
  const pause = (until - Date.now() - 6_000) / (stops.length + 1);
  for (const stop of stops) {
    await follow(page, stop.path);
    await page.waitForTimeout(Math.max(500, pause));
  }
  await page.locator('a.brand').click();
  await page.locator('[data-testid="lot"]').first().waitFor();
  await page.waitForTimeout(Math.max(1_000, until - Date.now()));
}

async function read(pages, minute, at) {
  for (const { name, session, page, readings } of pages) {
    const held = await heapOf(page, session);
    const elements = await page.evaluate(() => document.querySelectorAll('*').length);
    readings.push({ minute: at, ...held, elements });
    const { heap, nodes, listeners } = held;
    console.log(`${minute} min, ${name}: ${(heap / 2 ** 20).toFixed(2)} MiB, ${nodes} nodes, ${listeners} listeners`);
  }
}
