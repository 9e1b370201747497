// Going through the views as a person does, by links of the page and without loading it anew; and what the page holds.

/** The views of a running city, each with what tells that it is there. */
export async function stopsOf(page, url) {
  await page.locator('[data-testid="lot"]').nth(3).waitFor();
  const [first, second] = await page.locator('[data-testid="lot"]').evaluateAll((all) => all.map((lot) => lot.dataset.lotId));
  const { items: [{ spotId }] } = await fetch(`${url}/api/v1/lots/${first}/spots?limit=1`).then((answer) => answer.json());
  return [
    { path: '/map', ready: '[data-testid="map"][data-ready] canvas' },
    { path: '/table', ready: '[data-testid="row"]' },
    { path: '/changes', ready: '.all-changes' },
    { path: `/lots/${first}`, ready: '[data-testid="spot"]' },
    { path: `/lots/${first}/table`, ready: '[data-testid="row"]' },
    { path: `/lots/${first}/history`, ready: '[data-testid="chart"] canvas' },
    { path: `/spots/${spotId}`, ready: '[data-testid="spot-page"]' },
    { path: '/alerts', ready: 'main h1' },
    { path: `/lots/${second}`, ready: '[data-testid="spot"]' },
  ];
}

/** Follows a link. */
export function follow(page, path) {
  return page.evaluate((href) => {
    const link = Object.assign(document.createElement('a'), { href });
    document.body.append(link);
    link.click();
    link.remove();
  }, path);
}

/** Follows a link. Returns when the view is there, and has been drawn. */
export async function goTo(page, { path, ready }) {
  await follow(page, path);
  await page.locator(ready).first().waitFor({ state: 'attached' });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Gives back what nobody holds; what waits for finalizers goes with the second time. */
export async function collectGarbage(session) {
  for (let i = 0; i < 3; i++) await session.send('HeapProfiler.collectGarbage');
}

/** What the page holds when all that can be given back is. */
export async function heapOf(page, session) {
  await session.send('Performance.enable');
  await collectGarbage(session);
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners'), documents: of('Documents') };
}
