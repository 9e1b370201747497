// Whether views give back what they took: `node test/browser/rounds.js [--rounds 300] [--every 20] [--of map] [--snapshots FOLDER]`. A page goes through all views
// of `parkwire demo`, or those whose addresses have the text, again and again, as fast as they come; the heap is read after a garbage collection, in the city.
// With --snapshots the heap is written down early and at the end, as the developer tools read it. Part of a heap is what the engine has compiled, which grows for
// hundreds of rounds, the more the oftener something runs; with --jitless nothing is compiled, and what grows is data.
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';
import { goTo, heapOf, stopsOf } from './tour.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '300' }, every: { type: 'string', default: '20' }, of: { type: 'string', default: '' }, speed: { type: 'string', default: '24' }, snapshots: { type: 'string' }, jitless: { type: 'boolean' } },
});
const [rounds, every] = [Number(values.rounds), Number(values.every)];

const platform = await Platform.demo('--speed', values.speed);
const browser = await launch(values.jitless ? ['--js-flags=--jitless'] : []);
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(120_000);
  await page.goto(platform.url);
  await on(page).connected();
  const session = await page.context().newCDPSession(page);
  const stops = (await stopsOf(page, platform.url)).filter(({ path }) => path.includes(values.of));
  const readings = [];
  for (let round = 0; round <= rounds; round++) {
    if (round % every === 0) {
      const { heap, nodes, listeners } = await heapOf(page, session);
      readings.push({ round, heap });
      console.log(`round ${round}: ${(heap / 2 ** 20).toFixed(3)} MiB, ${nodes} nodes, ${listeners} listeners`);
      if (values.snapshots && (round === 2 * every || round === rounds)) await write(session, join(values.snapshots, `round-${round}.heapsnapshot`));
    }
    if (round < rounds) for (const stop of [...stops, { path: '/', ready: '[data-testid="lot"]' }]) await goTo(page, stop);
  }
  console.log(`${(slope(readings.slice(2)) / 2 ** 10).toFixed(2)} KiB a round, from round ${2 * every} on`);
} finally {
  await browser.close();
  await platform.stop();
}

/** The slope of the straight line that is nearest to the readings: bytes a round. */
function slope(readings) {
  const mean = (of) => readings.reduce((sum, each) => sum + each[of], 0) / readings.length;
  const [round, heap] = [mean('round'), mean('heap')];
  return readings.reduce((sum, each) => sum + (each.round - round) * (each.heap - heap), 0) / readings.reduce((sum, each) => sum + (each.round - round) ** 2, 0);
}

async function write(session, file) {
  mkdirSync(values.snapshots, { recursive: true });
  const out = createWriteStream(file);
  const take = ({ chunk }) => out.write(chunk);
  session.on('HeapProfiler.addHeapSnapshotChunk', take);
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  session.off('HeapProfiler.addHeapSnapshotChunk', take);
  await new Promise((resolve) => out.end(resolve));
}
