// What somebody has asked for, on top of what is known.
import { effect } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { Parking } from '../src/live/parking';
import type { ParkingEvent, Spot } from '../src/live/wire';

const at = '2026-11-24T03:35:00.123Z';
const lots = [{ id: 'central', name: 'Central Station' }];
const spot = (spotId: string, more: Partial<Spot> = {}): Spot => ({ spotId, lotId: 'central', status: 'free', version: 1, changedAt: at, ...more });
const event = (spotId: string, version: number, status: string, change: string, more: Partial<ParkingEvent> = {}): ParkingEvent => ({
  spotId, version, status, change, timestamp: at, lotId: 'central', ...more,
});

function parking(...spots: Spot[]): Parking {
  const made = new Parking();
  made.load(lots, spots.length > 0 ? spots : [spot('c-01'), spot('c-02')]);
  return made;
}

const shown = (state: Parking) => Object.fromEntries([...state.spotsOfLot('central')].map((cell) => [cell.peek().spotId, cell.peek()]));
const counts = (state: Parking) => state.countsOfLot('central').value;

describe('a change of a status', () => {
  test('is shown and counted at once, and taken back where it is refused', () => {
    const state = parking();
    const { revert } = state.propose('c-01', { status: 'occupied' });
    expect(shown(state)['c-01']).toMatchObject({ status: 'occupied', version: 1, proposed: true });
    expect(counts(state)).toMatchObject({ total: 2, free: 1, occupied: 1 });
    revert();
    expect(shown(state)['c-01']).toEqual({ ...spot('c-01'), pulse: 0 });
    expect(counts(state)).toMatchObject({ free: 2, occupied: 0 });
  });

  test('that was answered is shown until its event comes, which is news', () => {
    const state = parking();
    state.propose('c-01', { status: 'occupied' }).settle(spot('c-01', { status: 'occupied', version: 2 }));
    expect(shown(state)['c-01']).toMatchObject({ status: 'occupied', version: 1 });
    expect(shown(state)['c-01']!.proposed).toBeUndefined();
    const { news } = state.apply([event('c-01', 2, 'occupied', 'occupied')]);
    expect(news).toHaveLength(1);
    expect(shown(state)['c-01']).toMatchObject({ status: 'occupied', version: 2, pulse: 1 });
    state.apply([event('c-01', 3, 'free', 'released')]);
    expect(shown(state)['c-01'], 'what comes later holds').toMatchObject({ status: 'free', version: 3 });
  });

  test('the event of which comes before the answer', () => {
    const state = parking();
    const { settle } = state.propose('c-01', { status: 'occupied' });
    state.apply([event('c-01', 2, 'occupied', 'occupied')]);
    settle(spot('c-01', { status: 'occupied', version: 2 }));
    expect(shown(state)['c-01']).toMatchObject({ status: 'occupied', version: 2 });
    state.apply([event('c-01', 3, 'closed', 'closed')]);
    expect(shown(state)['c-01']!.status).toBe('closed');
  });

  test('gives way to something else that happens meanwhile, until it is answered', () => {
    const state = parking();
    const { settle } = state.propose('c-01', { status: 'occupied' });
    state.apply([event('c-01', 2, 'closed', 'closed')]);
    expect(shown(state)['c-01']).toMatchObject({ status: 'closed', version: 2 });
    settle(spot('c-01', { status: 'closed', version: 3 }));
    expect(shown(state)['c-01']).toMatchObject({ status: 'closed', version: 2 });
    state.apply([event('c-01', 3, 'closed', 'occupied')]);
    expect(shown(state)['c-01']).toMatchObject({ status: 'closed', version: 3 });
  });

  test('that is refused after something else happened leaves that', () => {
    const state = parking();
    const { revert } = state.propose('c-01', { status: 'occupied' });
    state.apply([event('c-01', 2, 'closed', 'closed')]);
    revert();
    expect(shown(state)['c-01']).toMatchObject({ status: 'closed', version: 2 });
    expect(counts(state)).toMatchObject({ total: 2, closed: 1, free: 1 });
  });

  test('that found the spot as it was wanted to be needs no event', () => {
    const state = parking(spot('c-01', { status: 'occupied' }));
    state.propose('c-01', { status: 'occupied' }).settle(spot('c-01', { status: 'occupied' }));
    expect(shown(state)['c-01']).toMatchObject({ status: 'occupied', version: 1 });
    state.apply([event('c-01', 2, 'free', 'released')]);
    expect(shown(state)['c-01']!.status).toBe('free');
  });

  test('is shown in place of the one before, whose end then changes nothing', () => {
    const state = parking();
    const first = state.propose('c-01', { status: 'occupied' });
    const second = state.propose('c-01', { status: 'closed' });
    first.revert();
    expect(shown(state)['c-01']!.status).toBe('closed');
    second.revert();
    expect(shown(state)['c-01']).toMatchObject({ status: 'free', version: 1 });
  });

  test('does not outlive the state that it was made on', () => {
    const state = parking();
    const { revert } = state.propose('c-01', { status: 'occupied' });
    state.load(lots, [spot('c-01', { version: 5, status: 'reserved' })]);
    revert();
    expect(shown(state)).toMatchObject({ 'c-01': { status: 'reserved', version: 5 } });
    expect(counts(state)).toMatchObject({ total: 1, reserved: 1 });
  });
});

describe('what describes a spot', () => {
  test('is shown as it will be while its event tells less', () => {
    const state = parking(spot('c-01', { name: 'One', zoneId: 'z1' }));
    const { settle } = state.propose('c-01', { name: 'First', zoneId: undefined, category: 'electric' });
    expect(shown(state)['c-01']).toMatchObject({ name: 'First', category: 'electric' });
    expect(shown(state)['c-01']!.zoneId).toBeUndefined();
    expect(state.countsOfZone('central', 'z1').value.total).toBe(0);
    state.apply([event('c-01', 2, 'free', 'edited')]);
    expect(shown(state)['c-01']!.name, 'the event does not tell the name').toBe('First');
    settle(spot('c-01', { name: 'First', category: 'electric', version: 2 }));
    expect(shown(state)['c-01']).toMatchObject({ name: 'First', version: 2 });
    state.apply([event('c-01', 3, 'occupied', 'occupied')]);
    expect(shown(state)['c-01']).toMatchObject({ name: 'First', status: 'occupied' });
  });

  test('is kept from the answer when the event comes after it', () => {
    const state = parking(spot('c-01', { name: 'One' }));
    state.propose('c-01', { name: 'First' }).settle(spot('c-01', { name: 'First', version: 2 }));
    state.apply([event('c-01', 2, 'free', 'edited')]);
    expect(shown(state)['c-01']).toMatchObject({ name: 'First', version: 2 });
  });

  test('that is taken away does not come back with the event', () => {
    const state = parking(spot('c-01', { name: 'One', category: 'family', location: { lat: 1, lon: 2 } }));
    state.propose('c-01', { name: undefined, location: undefined }).settle(spot('c-01', { category: 'family', version: 2 }));
    state.apply([event('c-01', 2, 'free', 'edited')]);
    expect(shown(state)['c-01']).toEqual({ ...spot('c-01', { category: 'family', version: 2 }), pulse: 1 });
  });

  test('does not hide what happens to the spot meanwhile', () => {
    const state = parking();
    const { revert } = state.propose('c-01', { name: 'First' });
    state.apply([event('c-01', 2, 'occupied', 'occupied')]);
    expect(shown(state)['c-01']).toMatchObject({ name: 'First', status: 'occupied', version: 2 });
    revert();
    expect(shown(state)['c-01']).toMatchObject({ status: 'occupied', version: 2 });
    expect(shown(state)['c-01']!.name).toBeUndefined();
  });
});

describe('a spot', () => {
  test('that is to come is there at once, and gone where it is refused', () => {
    const state = parking();
    const { revert } = state.propose('c-03', { lotId: 'central', status: 'occupied', category: 'standard' });
    expect(shown(state)['c-03']).toMatchObject({ status: 'occupied', version: 0 });
    expect(counts(state)).toMatchObject({ total: 3, occupied: 1 });
    revert();
    expect(Object.keys(shown(state))).toEqual(['c-01', 'c-02']);
    expect(counts(state)).toMatchObject({ total: 2, occupied: 0 });
  });

  test('that came is news when its event comes', () => {
    const state = parking();
    state.propose('c-03', { lotId: 'central', status: 'free', name: 'Three' }).settle(spot('c-03', { name: 'Three' }));
    const { news } = state.apply([event('c-03', 1, 'free', 'added')]);
    expect(news).toHaveLength(1);
    expect(shown(state)['c-03']).toMatchObject({ name: 'Three', version: 1 });
    expect(counts(state).total).toBe(3);
  });

  test('that is to go is gone at once, and back where that is refused, as it is by then', () => {
    const state = parking();
    const { revert } = state.propose('c-01', 'removed');
    expect(Object.keys(shown(state))).toEqual(['c-02']);
    state.apply([event('c-01', 2, 'occupied', 'occupied')]);
    expect(Object.keys(shown(state))).toEqual(['c-02']);
    expect(counts(state)).toMatchObject({ total: 1 });
    revert();
    expect(shown(state)['c-01']).toMatchObject({ status: 'occupied', version: 2 });
    expect(counts(state)).toMatchObject({ total: 2, occupied: 1 });
  });

  test('that is gone stays so when its event comes', () => {
    const state = parking();
    state.propose('c-01', 'removed').settle();
    const { news } = state.apply([event('c-01', 2, 'removed', 'removed')]);
    expect(news).toHaveLength(1);
    expect(counts(state)).toMatchObject({ total: 1, free: 1 });
    state.merge(lots, [spot('c-01')]);
    expect(Object.keys(shown(state))).toEqual(['c-02']);
  });
});

describe('a spot that somebody else removed meanwhile', () => {
  test('does not come back with the answer to what was asked for before', () => {
    const state = parking();
    const { settle } = state.propose('c-01', { status: 'closed' });
    state.apply([event('c-01', 2, 'closed', 'closed'), event('c-01', 3, 'removed', 'removed')]);
    settle(spot('c-01', { status: 'closed', version: 2 }));
    expect(Object.keys(shown(state))).toEqual(['c-02']);
    expect(counts(state)).toMatchObject({ total: 1, closed: 0 });
    state.apply([event('c-01', 4, 'free', 'added')]);
    expect(shown(state)['c-01'], 'but when it is added again').toMatchObject({ status: 'free', version: 4 });
  });

  test('does not come back either where its event told no more than the end, or the state was loaded anew', () => {
    const state = parking();
    const added = state.propose('c-03', { lotId: 'central', status: 'free' });
    state.apply([event('c-03', 2, 'removed', 'removed')]);
    added.settle(spot('c-03'));
    const closed = state.propose('c-01', { status: 'closed' });
    state.load(lots, [spot('c-02')]);
    closed.settle(spot('c-01', { status: 'closed', version: 2 }));
    expect(Object.keys(shown(state))).toEqual(['c-02']);
    expect(counts(state)).toMatchObject({ total: 1, free: 1 });
  });

  test('is gone where it was answered before', () => {
    const state = parking();
    state.propose('c-03', { lotId: 'central', status: 'free' }).settle(spot('c-03'));
    state.apply([event('c-03', 2, 'removed', 'removed')]);
    expect(counts(state).total).toBe(2);
  });
});

test('what was asked for by the one before is nothing to the next', () => {
  const state = parking();
  state.setZones('central', [{ id: 'z1', lotId: 'central', name: 'Level 1' }]);
  const proposals = [state.propose('c-01', { status: 'closed' }), state.propose('c-03', { lotId: 'central', status: 'free' })];
  const [lot, zone] = [state.proposeLot('harbour', { id: 'harbour', name: 'Harbour' }), state.proposeZone('central', 'z2', { id: 'z2', lotId: 'central', name: 'Level 2' })];
  state.forget();
  proposals[0]!.settle(spot('c-01', { status: 'closed', version: 2 }));
  proposals[1]!.settle(spot('c-03'));
  lot.settle({ id: 'harbour', name: 'Harbour' });
  zone.settle({ id: 'z2', lotId: 'central', name: 'Level 2' });
  expect([state.total.value.total, state.lots.value, state.zonesOfLot('central').value]).toEqual([0, [], []]);
});

test('what the platform told is known apart from what is proposed', () => {
  const state = parking(spot('c-01', { name: 'One' }));
  state.propose('c-01', { status: 'closed', name: 'Other' });
  state.propose('c-03', { lotId: 'central', status: 'free' });
  expect(state.toldOfLot('central')).toEqual([spot('c-01', { name: 'One' })]);
});

test('answers with lots and zones hold in the order in which they were asked for, and none undoes what was done since', () => {
  const state = parking();
  const named = (name: string) => [{ id: 'central', name }];
  const names = () => state.lots.value.map(({ name }) => name).join();
  const [first, second] = [state.askLots(), state.askLots()];
  expect(state.merge(named('second'), [], second)).toBe(true);
  expect([state.merge(named('first'), [], first), names()]).toEqual([false, 'second']);
  const before = state.askLots();
  const [proposal] = [state.proposeLot('central', { id: 'central', name: 'mine' })];
  proposal.settle({ id: 'central', name: 'mine' });
  expect([state.load(named('before'), [], before), names()]).toEqual([false, 'mine']);
  expect([state.merge(named('after'), []), names()]).toEqual([true, 'after']);
  const zones = state.askZones('central');
  state.proposeZone('central', 'z1', { id: 'z1', lotId: 'central', name: 'Mine' }).settle({ id: 'z1', lotId: 'central', name: 'Mine' });
  expect(state.setZones('central', [], zones)).toBe(false);
  expect(state.zonesOfLot('central').value.map(({ name }) => name)).toEqual(['Mine']);
});

test('lots and zones are shown as they are asked for, and as they were where that is refused', () => {
  const state = parking();
  const seen: string[] = [];
  const stop = effect(() => void seen.push(state.lots.value.map(({ name }) => name).join()));
  const added = state.proposeLot('harbour', { id: 'harbour', name: 'Harbour' });
  state.merge(lots, []);
  added.settle({ id: 'harbour', name: 'Harbour' });
  state.proposeLot('central', { id: 'central', name: 'Zentrum' }).revert();
  state.proposeLot('central', undefined).settle();
  stop();
  expect(seen.filter((each, i) => each !== seen[i - 1])).toEqual(['Central Station', 'Central Station,Harbour', 'Harbour,Zentrum', 'Central Station,Harbour', 'Harbour']);

  state.setZones('harbour', [{ id: 'h1', lotId: 'harbour', name: 'Quay' }]);
  const renamed = state.proposeZone('harbour', 'h1', { id: 'h1', lotId: 'harbour', name: 'Pier' });
  expect(state.zonesOfLot('harbour').value.map(({ name }) => name)).toEqual(['Pier']);
  renamed.revert();
  expect(state.zonesOfLot('harbour').value.map(({ name }) => name)).toEqual(['Quay']);
});

test('lists that are told again as they were are the same lists, and of others that are, the same items', () => {
  const state = parking();
  const harbour = { id: 'harbour', name: 'Harbour', location: { lat: 1, lon: 2 } };
  const zone = { id: 'z1', lotId: 'central', name: 'Level 1', level: 1 };
  state.merge([...lots, harbour], []);
  state.setZones('central', [zone]);
  const [shownLots, shownZones] = [state.lots.value, state.zonesOfLot('central').value];
  state.merge(structuredClone([harbour, ...lots]), []);
  state.setZones('central', structuredClone([zone]));
  expect(state.lots.value).toBe(shownLots);
  expect(state.zonesOfLot('central').value).toBe(shownZones);
  state.merge([...lots, { ...harbour, location: { lat: 1, lon: 3 } }], []);
  expect(state.lots.value[0]).toBe(shownLots[0]);
  expect(state.lots.value[1]).toMatchObject({ location: { lon: 3 } });
  state.setZones('central', []);
  expect(state.zonesOfLot('central').value).toEqual([]);
});
