// The files that are built, as they are sent: what a first visit has to fetch stays small, whatever the views become.
import { expect, test } from 'vitest';

const files = import.meta.glob<string>(['../dist/index.html', '../dist/assets/*.{js,css}'], { query: '?raw', import: 'default', eager: true });
const contentOf = (address: string) => files[`../dist${address}`];

async function packed(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

/** What the page names, and what that imports before it runs. */
function initial(): string[] {
  const found = new Set(['/index.html']);
  for (const address of found) {
    const text = contentOf(address);
    expect(text, `${address} is there`).toBeDefined();
    const named = address.endsWith('.html')
      ? [...text!.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => name!)
      : [...text!.matchAll(/(?:^|[;}\s])(?:import|export)\b[^;"'()]*["']\.\/([^"']+\.js)["']/g)].map(([, name]) => `/assets/${name}`);
    for (const each of named) found.add(each);
  }
  return [...found];
}

test('a first visit fetches less than 150 KB, and half of that is a better bound as long as it holds', async () => {
  const addresses = initial();
  expect(addresses.length).toBeGreaterThanOrEqual(3);
  const sizes = await Promise.all(addresses.map(async (address) => [address, await packed(contentOf(address)!)] as const));
  const sum = sizes.reduce((total, [, size]) => total + size, 0);
  expect(sum, JSON.stringify(sizes)).toBeLessThan(75_000);
});

test('no view is fetched before it is opened', () => {
  const scripts = initial().map((address) => contentOf(address)!).join('');
  expect(scripts).not.toMatch(/maplibregl-canvas|uPlot requires|u-legend/);
});
