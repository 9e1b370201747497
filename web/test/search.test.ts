import { expect, test } from 'vitest';
import { folded, hasTerms, orderKey, termsOf } from '../src/text/search';
import { several, toggled, together } from '../src/ui/parameters';
import { inSight } from '../src/ui/window';

test('what is looked for is found without case and accents, each word anywhere', () => {
  const text = folded('Straße Süd · Étage 2');
  for (const asked of ['STRASSE', 'sud', 'etage 2 strasse', '', '  süd  ']) expect(hasTerms(text, termsOf(asked)), asked).toBe(true);
  expect(hasTerms(text, termsOf('sud nord'))).toBe(false);
});

test('keys of names stand as people expect the names', () => {
  const names = ['A-10', 'a-9', 'A-1', 'B', 'ä-2', 'A', 'c-L2-099', 'c-L10-001', 'c-L2-100', 'Deck 1', 'deck 01b', '100', '20', 'x12345678901234567890', 'x2'];
  const key = (a: string, b: string) => (orderKey(a) < orderKey(b) ? -1 : orderKey(a) > orderKey(b) ? 1 : 0);
  expect(names.toSorted(key)).toEqual(names.toSorted(new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare));
});

test('several values are one parameter, in their own order', () => {
  const all = ['a', 'b', 'c'] as const;
  expect(several(new URLSearchParams('v=c,odd,a'), 'v', all)).toEqual(['a', 'c']);
  expect(several(new URLSearchParams(), 'v', all)).toEqual([]);
  expect([together(['a', 'c']), together([])]).toEqual(['a,c', undefined]);
  expect([toggled(['a'], 'b'), toggled(['a', 'b'], 'a')]).toEqual([['a', 'b'], ['b']]);
});

test('of a long list the rows in sight are made, and a few around them', () => {
  const row = 40, count = 20_000, room = 800;
  const at = (top: number) => inSight(top, row * count, count, room);
  expect(at(300)).toEqual({ from: 0, to: 24 });
  const inside = at(-10_000 * row);
  expect(inside.from).toBeLessThanOrEqual(9_995);
  expect(inside.to).toBeGreaterThanOrEqual(10_025);
  expect(inside.to - inside.from).toBeLessThan(50);
  expect(at(-(count - 20) * row).to).toBe(count);
  expect(inSight(0, 0, 0, room)).toEqual({ from: 0, to: 0 });
  expect(inSight(0, 0, 500, room), 'before it is known how high they are').toEqual({ from: 0, to: 40 });
});
