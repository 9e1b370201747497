// 24,000 spots, 20,000 of them in one lot, and a thousand changes at once, in every view. What is asserted does not depend on how fast the machine is;
// how long tasks are is printed here, and measured by measure.js.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, on } from './browser.js';
import { Estate, total, views } from './estate.js';
import { Platform } from './platform.js';
import { longest, traced } from './trace.js';

/** More elements than this are no window of 24,000 spots; more changed by one task is no slice. */
const most = { elements: 2_000, nodes: 1_000 };

let platform, browser, estate, token;

before(async () => {
  platform = await Platform.start(async () => ['--rate-limit=0']);
  estate = new Estate(platform);
  await estate.build();
  token = platform.token('--scope', 'operate');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** Those with lists of thousands, and those in which each change is seen: the others draw one thing. */
const tried = views.filter(({ name }) => /^(City|Map, its|Plan|Table, free|Changes|Managing)/.test(name));

for (const { name, path, ready } of tried) {
  test(`${name}: of 24,000 spots those in sight are made, and a thousand changes at once are shown in parts, and rightly`, async (t) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' });
    context.setDefaultTimeout(120_000);
    await context.addInitScript(count);
    await context.addInitScript((text) => sessionStorage.setItem('parkwire.signed-in', text), JSON.stringify({ id: '', typed: token }));
    const page = await context.newPage();
    const faults = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(platform.url + path);
    await on(page).connected();
    await page.locator(ready).first().waitFor();
    await settled(page, estate.free);
    const elements = await page.evaluate(() => document.querySelectorAll('*').length);
    assert.ok(elements < most.elements, `there are ${elements} elements`);

    await page.evaluate(() => window.counted.begin());
    const trace = await traced(page, async () => settled(page, await estate.change(1_000)));
    const { nodes, tasks } = await page.evaluate(() => window.counted.end());
    t.diagnostic(`longest task ${longest(trace).toFixed(0)} ms, ${longest(trace, 'processor').toFixed(0)} of them on the processor; ${elements} elements; at most ${nodes} nodes changed by one of ${tasks} tasks`);
    assert.ok(nodes < most.nodes, `${nodes} nodes were added, removed or changed by one task`);
    const { spots, lines } = await page.evaluate(listed);
    assert.ok((/^(City|Changes)/.test(name) ? lines : spots).length > 0, 'what is listed is found');
    const known = await statuses();
    for (const [spotId, status] of [...spots, ...lines]) assert.equal(status, known.get(spotId), `${spotId} is shown as it is`);
    assert.deepEqual(faults, []);
    await context.close();
  });
}

/** In the page: how much of it one task changes. */
function count() {
  const seen = { nodes: 0, tasks: 0 };
  const observer = new MutationObserver((records) => {
    const nodes = records.reduce((sum, { type, addedNodes, removedNodes }) => sum + (type === 'childList' ? addedNodes.length + removedNodes.length : 1), 0);
    seen.nodes = Math.max(seen.nodes, nodes);
    seen.tasks++;
  });
  window.counted = {
    begin: () => observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true }),
    end: () => {
      observer.disconnect();
      return seen;
    },
  };
}

/** In the page: the spots that are listed, and those of which lines tell, with their statuses. Each changes once. */
function listed() {
  const all = (selector) => [...document.querySelectorAll(selector)];
  return {
    spots: all('[data-testid="spot"], [data-testid="row"], [data-testid="manage-spot"], .map-spots button[data-spot-id]').map(({ dataset }) => [dataset.spotId, dataset.status]),
    lines: all('[data-testid="feed-item"]').map((line) => [decodeURIComponent(line.querySelector('a').pathname.slice('/spots/'.length)), line.dataset.status]),
  };
}

/** Waits until the page counts as many free spots as there are; the lists, which follow at a pace, are in the trace too. */
async function settled(page, free) {
  await page.waitForFunction((wanted) => Number(document.querySelector('.top .total b, .city h1 strong')?.textContent.replace(/\D/g, '')) === wanted, free, { timeout: 120_000 });
  await page.waitForTimeout(1_500);
}

async function statuses() {
  const found = new Map();
  for (let cursor = ''; cursor !== undefined;) {
    const page = await platform.request('GET', `/api/v1/spots?limit=5000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const { spotId, status } of page.items) found.set(spotId, status);
    cursor = page.next;
  }
  assert.equal(found.size, total);
  return found;
}
