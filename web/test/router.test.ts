import { afterAll, beforeAll, expect, test, vi } from 'vitest';

beforeAll(() => void vi.stubGlobal('location', { href: 'https://parking.example/lots/central?lang=de&theme=dark&spot=c-01', origin: 'https://parking.example' }));
afterAll(() => vi.unstubAllGlobals());

test('a path that has parameters keeps them, beside what goes with the whole page', async () => {
  const { alertsPath, pathTo } = await import('../src/ui/router');
  expect(pathTo('/alerts?show=told')).toBe('/alerts?show=told&lang=de&theme=dark');
  expect(pathTo('/alerts?show=told', { show: 'sent', of: 'r 1' })).toBe('/alerts?show=sent&lang=de&theme=dark&of=r+1');
  expect([pathTo('/spots/c%2F01'), alertsPath({ show: 'told' })]).toEqual(['/spots/c%2F01?lang=de&theme=dark', '/alerts?lang=de&theme=dark&show=told']);
});
