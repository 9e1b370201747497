import { effect } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { Parking } from '../src/live/parking';
import { statuses, type ParkingEvent, type Spot } from '../src/live/wire';

const lots = [{ id: 'central', name: 'Central Station' }, { id: 'harbour', name: 'Harbour' }];
const at = '2026-11-24T03:35:00.123Z';

const spot = (spotId: string, more: Partial<Spot> = {}): Spot => ({ spotId, lotId: 'central', status: 'free', version: 1, changedAt: at, ...more });
const change = (spotId: string, version: number, status: string, what: string, more: Partial<ParkingEvent> = {}): ParkingEvent => ({
  spotId, version, status, change: what, timestamp: at, lotId: 'central', ...more,
});

function parking(...spots: Spot[]): Parking {
  const made = new Parking();
  made.load(lots, spots.length > 0 ? spots : [spot('c-01'), spot('c-02'), spot('h-01', { lotId: 'harbour', status: 'occupied' })]);
  return made;
}

const spots = (state: Parking, lotId = 'central') => Object.fromEntries([...state.spotsOfLot(lotId)].map((cell) => [cell.peek().spotId, cell.peek()]));

test('counts of a lot, of its zones and of all add up and agree with the spots', () => {
  const state = parking(...statuses.flatMap((status, i) => [
    spot(`a-${status}`, { status, zoneId: 'z1' }),
    ...(i % 2 ? [spot(`b-${status}`, { status })] : []),
  ]));
  state.apply([change('a-free', 2, 'closed', 'closed', { zoneId: 'z1' }), change('b-reserved', 2, 'occupied', 'occupied')]);
  const now = Object.values(spots(state));
  for (const [counts, its] of [
    [state.total.value, now],
    [state.countsOfLot('central').value, now],
    [state.countsOfZone('central', 'z1').value, now.filter((s) => s.zoneId === 'z1')],
    [state.countsOfZone('central', '').value, now.filter((s) => s.zoneId === undefined)],
  ] as const) {
    expect(counts.total).toBe(its.length);
    for (const status of statuses) expect(counts[status], status).toBe(its.filter((s) => s.status === status).length);
  }
});

describe('an event', () => {
  test('changes its spot and the counts, and is news', () => {
    const state = parking();
    const { news } = state.apply([change('c-01', 2, 'occupied', 'occupied')]);
    expect(spots(state)['c-01']).toMatchObject({ status: 'occupied', version: 2, pulse: 1 });
    expect(state.countsOfLot('central').value).toMatchObject({ total: 2, free: 1, occupied: 1 });
    expect(news).toHaveLength(1);
  });

  test('that is not newer than what is known changes nothing and is no news', () => {
    const state = parking(spot('c-01', { version: 5, status: 'reserved' }));
    const { news } = state.apply([change('c-01', 5, 'free', 'released'), change('c-01', 4, 'occupied', 'occupied')]);
    expect(spots(state)['c-01']).toMatchObject({ status: 'reserved', version: 5 });
    expect(news).toEqual([]);
  });

  test('adds a spot, and one removed is gone from the counts', () => {
    const state = parking();
    const { incomplete } = state.apply([change('c-03', 1, 'occupied', 'added', { zoneId: 'z1' })]);
    expect(spots(state)['c-03']).toMatchObject({ status: 'occupied', zoneId: 'z1' });
    expect(state.countsOfLot('central').value).toMatchObject({ total: 3, occupied: 1 });
    expect([...incomplete], 'its name and category are to be fetched').toEqual(['central']);
    state.apply([change('c-03', 2, 'removed', 'removed')]);
    expect(Object.keys(spots(state))).toEqual(['c-01', 'c-02']);
    expect(state.countsOfLot('central').value).toMatchObject({ total: 2, occupied: 0 });
    state.apply([change('c-03', 1, 'occupied', 'added')]);
    expect(Object.keys(spots(state)), 'an old event does not bring it back').toEqual(['c-01', 'c-02']);
    state.apply([change('c-03', 3, 'free', 'added')]);
    expect(Object.keys(spots(state)), 'but a later one does').toEqual(['c-01', 'c-02', 'c-03']);
  });

  test('of a spot that is not known tells the feed and asks for its lot: how it came may have been left out', () => {
    const state = parking();
    const { news, incomplete } = state.apply([change('c-77', 9, 'occupied', 'occupied')]);
    expect(news).toHaveLength(1);
    expect(state.total.value.total).toBe(3);
    expect([...incomplete]).toEqual(['central']);
    expect([...state.apply([change('c-78', 9, 'removed', 'removed')]).incomplete], 'but not of one that is gone').toEqual([]);
  });

  test('of a lot that is not known asks for the lots', () => {
    expect([...parking().apply([change('n-01', 1, 'free', 'added', { lotId: 'new' })]).incomplete]).toEqual(['new']);
  });

  test('moves a spot to another zone, or out of it', () => {
    const state = parking(spot('c-01', { zoneId: 'z1', name: 'One' }));
    state.apply([change('c-01', 2, 'free', 'edited', { zoneId: 'z2' })]);
    expect(state.countsOfZone('central', 'z1').value.total).toBe(0);
    expect(state.countsOfZone('central', 'z2').value.free).toBe(1);
    state.apply([change('c-01', 3, 'free', 'edited')]);
    expect(spots(state)['c-01']!.zoneId).toBeUndefined();
    expect(spots(state)['c-01']!.name, 'an event does not tell the name').toBe('One');
  });
});

describe('an event of another program', () => {
  const foreign = (spotId: string, status: string): ParkingEvent => ({ spotId, status, timestamp: at });

  test('changes the status of a spot that is known, until a versioned event comes', () => {
    const state = parking();
    state.apply([foreign('c-01', 'occupied')]);
    expect(spots(state)['c-01']).toMatchObject({ status: 'occupied', version: 1 });
    expect(state.countsOfLot('central').value).toMatchObject({ free: 1, occupied: 1 });
    state.apply([change('c-01', 2, 'free', 'released')]);
    expect(spots(state)['c-01']).toMatchObject({ status: 'free', version: 2 });
  });

  test('is news, and no more, for a spot or a status that is not known', () => {
    const state = parking();
    const { news, incomplete } = state.apply([foreign('x-9', 'occupied'), foreign('c-01', 'on fire')]);
    expect(news).toHaveLength(2);
    expect(incomplete.size).toBe(0);
    expect(state.total.value).toMatchObject({ total: 3, free: 2, occupied: 1 });
  });
});

test('a state that is loaded again replaces everything, and tells views of what differs only', () => {
  const state = parking();
  let drawn = 0;
  const [one] = [...state.spotsOfLot('central')];
  const stop = effect(() => { one!.value; drawn++; });
  state.load(lots, [spot('c-01'), spot('c-05', { status: 'closed' })]);
  expect(Object.keys(spots(state))).toEqual(['c-01', 'c-05']);
  expect(state.total.value).toMatchObject({ total: 2, free: 1, closed: 1 });
  expect(drawn).toBe(1);
  stop();
});

test('what was fetched beside the events does not overwrite newer events nor bring back the removed', () => {
  const state = parking();
  state.apply([change('c-01', 3, 'occupied', 'occupied'), change('c-02', 2, 'removed', 'removed')]);
  state.merge(lots, [spot('c-01', { version: 2 }), spot('c-02'), spot('c-04', { name: 'Four' })]);
  expect(spots(state)).toMatchObject({ 'c-01': { status: 'occupied', version: 3 }, 'c-04': { name: 'Four' } });
  expect(spots(state)['c-02']).toBeUndefined();
  state.merge(lots, [spot('c-01', { version: 3, status: 'occupied', name: 'One' })]);
  expect(spots(state)['c-01'], 'the same version tells the name').toMatchObject({ name: 'One', status: 'occupied' });
});

test('views hear of a batch once, with counts that already agree', () => {
  const state = parking();
  const seen: number[] = [];
  const stop = effect(() => { seen.push(state.countsOfLot('central').value.free + [...state.spotsOfLot('central')].filter((cell) => cell.value.status === 'occupied').length); });
  state.apply(Array.from({ length: 100 }, (_, i) => change('c-01', i + 2, i % 2 ? 'free' : 'occupied', i % 2 ? 'released' : 'occupied')));
  expect(seen).toEqual([2, 2]);
  stop();
});

test('lots are in the order that people expect', () => {
  const state = new Parking();
  state.load([{ id: '1', name: 'Lot 10' }, { id: '2', name: 'lot 9' }, { id: '3', name: 'Älter' }], []);
  expect(state.lots.value.map((lot) => lot.name)).toEqual(['Älter', 'lot 9', 'Lot 10']);
});
