// What is filled in of lots, zones and spots.
import { describe, expect, test } from 'vitest';
import { lotForm, rebase, series, spotForm, toNumber, validId, zoneForm } from '../src/manage/forms';

const lot = { id: 'central', name: 'Central', address: '1 Station Road', timeZone: 'Europe/Berlin', location: { lat: 48.137, lon: 11.575 }, heartbeatSeconds: 3600 };

describe('a form', () => {
  test('sends what differs, and null for what is taken away', () => {
    const from = lotForm.values(lot);
    expect(lotForm.patch(from, from)).toEqual({});
    expect(lotForm.patch({ ...from, name: ' Zentrum ', address: '', heartbeat: '' }, from)).toEqual({ name: 'Zentrum', address: null, heartbeatSeconds: null });
    expect(lotForm.patch({ ...from, lat: '48,2' }, from), 'a place is one thing').toEqual({ location: { lat: 48.2, lon: 11.575 } });
    expect(lotForm.patch({ ...from, lat: '', lon: '' }, from)).toEqual({ location: null });
    const level = zoneForm.values({ id: 'z', lotId: 'central', name: 'Ground', level: 0 });
    expect([level.level, zoneForm.patch({ ...level, level: '-1' }, level)]).toEqual(['0', { level: -1 }]);
  });

  test('finds what is wrong before the platform does', () => {
    const right = lotForm.values(lot);
    expect(lotForm.check(right, true)).toEqual({});
    expect(lotForm.check({ ...right, id: 'a/b', name: ' ', timeZone: 'Mars/Base', lat: '91', lon: '', heartbeat: '1.5' }, true)).toEqual({
      id: 'id', name: 'missing', timeZone: 'timeZone', lat: 'lat', lon: 'both', heartbeat: 'heartbeat',
    });
    expect(lotForm.check({ ...right, id: '' }, false), 'an id that is there is not filled in').toEqual({});
    expect(zoneForm.check({ id: 'z', name: 'Z', level: '2000' }, true)).toEqual({ level: 'level' });
    expect(spotForm.check({ ...spotForm.values(), id: ' ' }, true)).toEqual({ id: 'missing' });
  });

  test('knows its fields by the names that the platform has for them', () => {
    expect([spotForm.fieldOf('spotId'), spotForm.fieldOf('heartbeatSeconds'), spotForm.fieldOf('location.lon'), lotForm.fieldOf('location')]).toEqual(['id', 'heartbeat', 'lon', 'lat']);
    expect(zoneForm.fieldOf('If-Match')).toBeUndefined();
  });
});

test('ids are what the platform takes', () => {
  for (const right of ['A-017', 'Ä 1', '駐車場', '...', 'x'.repeat(128)]) expect(validId(right), right).toBe(true);
  for (const wrong of ['', '.', '..', 'a/b', ' a', 'a\n', 'a\u200bb', 'a\u00a0b', 'x'.repeat(129), 'ä'.repeat(65)]) expect(validId(wrong), JSON.stringify(wrong)).toBe(false);
});

test('numbers may have a comma', () => {
  expect([toNumber('48,137'), toNumber(' -1 '), toNumber(''), toNumber('1.2.3')]).toEqual([48.137, -1, NaN, NaN]);
});

describe('two who change the same thing', () => {
  const opened = { id: 'z', name: 'Ground', level: '0' };

  test('do not get in each other’s way where they change different fields', () => {
    expect(rebase(opened, { ...opened, name: 'Ground floor' }, { ...opened, level: '1' })).toEqual({ values: { id: 'z', name: 'Ground floor', level: '1' }, clashes: [] });
  });

  test('are told of each other where they change the same one', () => {
    expect(rebase(opened, { ...opened, name: 'Ground floor' }, { ...opened, name: 'Street' })).toEqual({
      values: { id: 'z', name: 'Ground floor', level: '0' }, clashes: [{ field: 'name', theirs: 'Street' }],
    });
    expect(rebase(opened, { ...opened, name: 'Street' }, { ...opened, name: 'Street' }).clashes, 'unless to the same').toEqual([]);
  });
});

test('spots are numbered as the first number is written', () => {
  expect(series('A-', '08', '11')).toEqual(['A-08', 'A-09', 'A-10', 'A-11']);
  expect(series('', '1', '2', ' east')).toEqual(['1 east', '2 east']);
  for (const [from, to] of [['2', '1'], ['', '3'], ['a', 'b'], ['1.5', '2'], ['1', '10001']]) expect(series('A-', from!, to!), `${from} to ${to}`).toBeUndefined();
  expect(series('a/', '1', '2'), 'ids that the platform does not take').toBeUndefined();
  expect(series('A-', '1', '10000')).toHaveLength(10_000);
});
