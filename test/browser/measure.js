// Measures what the main thread of the dashboard does with 24,000 spots, and writes it into docs/dashboard.md: `node test/browser/measure.js --write`, on a
// machine that does nothing else. Without --write it prints, with --explain what the time was spent with. Names of views, or parts of them, choose some.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch, on } from './browser.js';
import { Estate, total, views } from './estate.js';
import { Platform } from './platform.js';
import { busy, longest, told, traced } from './trace.js';

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' }, explain: { type: 'boolean' }, seconds: { type: 'string', default: '10' }, rounds: { type: 'string', default: '3' } },
});
const seconds = Number(options.seconds); // of 60 changes each
const rounds = Number(options.rounds); // of 1,000 changes at once

const platform = await Platform.start(async () => ['--rate-limit=0']);
const browser = await launch();
try {
  const estate = new Estate(platform);
  await estate.build();
  const token = platform.token('--scope', 'operate');
  const rows = [];
  for (const view of views.filter(({ name }) => names.length === 0 || names.some((each) => name.includes(each)))) {
    rows.push(await measured(view, estate, token));
    const { name, opening, burst, stream, processor, frames, slowest } = rows.at(-1);
    const shown = [`opening ${ms(opening.wall)} (${ms(opening.processor)}) ms`, `1,000 at once: longest task ${burst.map(({ wall, processor: its }) => `${ms(wall)} (${ms(its)})`).join(', ')} ms`,
      `60/s: main thread ${percent(stream)} (${percent(processor)})`, `frames ${frames.rate}/s, longest gap ${ms(frames.gap)} ms`];
    console.log(`${name}: ${shown.join('; ')}. In brackets: of the processor.`);
    if (options.explain) console.log(slowest.join('\n\n'));
  }
  const woken = await waking(estate);
  console.log(`Waking after an hour: right after ${woken.map(ms).join(', ')} ms.`);
  if (options.write) write(rows, woken);
} finally {
  await browser.close();
  await platform.stop();
}

async function measured({ name, path, ready }, estate, token) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' });
  await context.addInitScript((text) => sessionStorage.setItem('parkwire.signed-in', text), JSON.stringify({ id: '', typed: token }));
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const opened = await traced(page, async () => {
    await page.goto(platform.url + path);
    await on(page).connected();
    await page.locator(ready).first().waitFor();
    await page.waitForTimeout(3_000);
  });
  const burst = [];
  const slowest = [`Opening:\n${told(opened, 4)}`];
  for (let round = 0; round < rounds; round++) {
    const trace = await traced(page, async () => {
      await estate.change(1_000);
      await page.waitForTimeout(4_000);
    });
    burst.push(both(longest, trace));
    slowest.push(told(trace, 3));
  }
  const quiet = await traced(page, () => page.waitForTimeout(3_000));
  const streamed = await traced(page, () => estate.stream(60, seconds));
  const [frames] = await Promise.all([framesOf(page, seconds), estate.stream(60, seconds)]);
  slowest.push(told(streamed, 3));
  slowest.push([...streamed.parts].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([part, time]) => `${part} ${(time / streamed.seconds).toFixed(1)} ms/s`).join(', '));
  await context.close();
  return {
    name, opening: both(longest, opened), burst, stream: busy(streamed) / 1000 / streamed.seconds, processor: busy(streamed, 'processor') / 1000 / streamed.seconds,
    quiet: busy(quiet) / 1000 / quiet.seconds, frames, slowest,
  };
}

/** How long after waking a page shows what is, which slept for an hour while 5,000 spots changed: milliseconds, some times. */
async function waking(estate) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' });
  await context.addInitScript(() => { // the clock of the device goes on while the page is frozen
    const { now } = Date;
    let slept = 0;
    Date.now = () => now() + slept;
    document.addEventListener('resume', () => (slept += 3_600_000));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${platform.url}/table`);
  await on(page).connected();
  const session = await context.newCDPSession(page);
  const taken = [];
  for (let round = 0; round < Math.max(5, rounds); round++) {
    await page.waitForTimeout(3_000);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    for (let i = 0; i < 5; i++) await estate.change(1_000);
    const begin = performance.now();
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await page.waitForFunction((free) => Number(document.querySelector('.top .total b')?.textContent.replace(/\D/g, '')) === free, estate.free);
    taken.push(performance.now() - begin);
    await on(page).connected();
  }
  await context.close();
  return taken;
}

function both(of, trace) {
  return { wall: of(trace, 'wall'), processor: of(trace, 'processor') };
}

function ms(time) {
  return String(Math.round(time));
}

function percent(part) {
  return `${Math.round(part * 100)} %`;
}

/** How many frames a page that draws as often as it may could show in each second. */
async function framesOf(page, duration) {
  const times = await page.evaluate((ms) => new Promise((resolve) => {
    const seen = [];
    const begin = performance.now();
    requestAnimationFrame(function next(now) {
      seen.push(now);
      if (performance.now() - begin < ms) requestAnimationFrame(next);
      else resolve(seen);
    });
  }), duration * 1000);
  const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  return { rate: Math.round(gaps.length / ((times.at(-1) - times[0]) / 1000)), gap: gaps.at(-1) };
}

function write(rows, woken) {
  const file = fileURLToPath(new URL('../../docs/dashboard.md', import.meta.url));
  const [begin, end] = ['<!-- measured: node test/browser/measure.js --write -->', '<!-- end -->'];
  const text = readFileSync(file, 'utf8');
  const [head, tail] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (head < begin.length || tail < 0) throw new Error(`${file} has no place for it: ${begin} … ${end}`);
  const middle = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  const table = [
    '| view | opening | 1,000 changes at once | the slowest time | 60 changes/s: main thread busy | without changes | frames/s | longest gap |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows.map(({ name, opening, burst, stream, quiet, frames }) => {
      const walls = burst.map(({ wall }) => wall);
      return `| ${[name, ms(opening.wall), ms(middle(walls)), ms(Math.max(...walls)), percent(stream), percent(quiet), frames.rate, ms(frames.gap)].join(' | ')} |`;
    }),
  ];
  const sleep = `A page of the table that slept for an hour, while 5,000 spots changed, shows what is ${ms(middle(woken))} ms after waking (${ms(Math.min(...woken))} to ${ms(Math.max(...woken))}; ${woken.length} times).`;
  const machine = `${total.toLocaleString('en')} spots, ${cpus().length} × ${cpus()[0].model.trim()}, Chromium ${browser.version()} without a graphics processor, platform and browser on the same machine.`;
  writeFileSync(file, `${text.slice(0, head)}\n\n${machine}\n\n${table.join('\n')}\n\n${sleep}\n\n${text.slice(tail)}`);
}
