import { expect, test } from 'vitest';
import { lotOf, parse } from '../src/ui/places';

test('each view has its address', () => {
  const places = Object.fromEntries(['/', '/index.html', '/map', '/table', '/changes', '/alerts', '/manage', '/manage/import'].map((path) => [path, parse(path).view]));
  expect(Object.values(places)).toEqual(['city', 'city', 'map', 'table', 'changes', 'alerts', 'manage', 'import']);
  expect(parse('/lots/P.1')).toEqual({ view: 'lot', lotId: 'P.1' });
  expect(parse('/lots/a%20b/')).toEqual({ view: 'lot', lotId: 'a b' });
  expect(parse('/lots/a%2Fb/table')).toEqual({ view: 'lot-table', lotId: 'a/b' });
  expect(parse('/lots/central/history')).toEqual({ view: 'lot-history', lotId: 'central' });
  expect(parse('/manage/lots/central')).toEqual({ view: 'manage-lot', lotId: 'central' });
  expect(parse('/spots/c-01')).toEqual({ view: 'spot', spotId: 'c-01' });
  expect(lotOf(parse('/lots/central/history'))).toBe('central');
  expect(lotOf(parse('/spots/c-01'))).toBeUndefined();
});

test('what is no address of the page is none', () => {
  for (const path of ['/docs', '/api/v1/lots', '/signed-in', '/lots', '/lots/', '/lots/a/b', '/lots/%ff', '/spots/a/b', '/manage/x', '/toString', '/constructor']) {
    expect(parse(path).view, path).toBe('nowhere');
  }
});
