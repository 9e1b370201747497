import { describe, expect, test } from 'vitest';
import { Parking } from '../src/live/parking';
import type { Location, Spot, Status } from '../src/live/wire';
import { Cloud } from '../src/map/cloud';
import { clustered, reachAt } from '../src/map/cluster';
import { parts } from '../src/map/colours';
import { boxAround, flat, ground, halves, hull, metresAcross, unflat } from '../src/map/geo';
import { roundLength } from '../src/map/Scale';
import { readViewpoint, writeViewpoint } from '../src/map/viewpoint';

const spot = (spotId: string, lotId: string, status: Status, location?: Location, version = 1): Spot =>
  ({ spotId, lotId, status, version, changedAt: '2026-11-24T10:00:00Z', ...(location && { location }) });

describe('places', () => {
  test('lie on the map where they are on the earth, and back', () => {
    expect(flat({ lat: 0, lon: 0 })).toEqual({ x: 0.5, y: 0.5 });
    const berlin = { lat: 52.52, lon: 13.405 };
    const { x, y } = flat(berlin);
    expect([x * 1024, y * 1024].map(Math.round)).toEqual([550, 336]); // tile 550/335 at zoom 10
    expect(unflat({ x, y }).lat).toBeCloseTo(berlin.lat, 9);
    expect(flat({ lat: 90, lon: 180 }).y).toBeCloseTo(0, 6);
    expect(metresAcross(60) / metresAcross(0)).toBeCloseTo(0.5, 9);
  });

  test('are sent in two halves that together are exact to less than a millimetre', () => {
    const { x } = flat({ lat: 52.52, lon: 13.405123456789 });
    const [high, low] = halves(x);
    expect(Math.abs(Math.fround(high) + Math.fround(low) - x) * 40e6).toBeLessThan(0.001);
    expect(Math.abs(Math.fround(x) - x) * 40e6, 'one number alone would be metres off').toBeGreaterThan(0.05);
  });

  test('have a box and an outline around them', () => {
    expect(boxAround([])).toBeUndefined();
    expect(boxAround([{ lat: 1, lon: 5 }, { lat: -2, lon: 7 }])).toEqual({ west: 5, south: -2, east: 7, north: 1 });
    const square = [{ x: 0, y: 0 }, { x: 2, y: 0 }, { x: 2, y: 2 }, { x: 0, y: 2 }];
    expect(hull([{ x: 1, y: 1 }, ...square, { x: 1, y: 0 }])).toEqual(square);
    const ring = ground([{ lat: 52, lon: 10 }], 5);
    expect(ring[0]).toEqual(ring.at(-1));
    expect(ring.length).toBe(5);
    expect(Math.max(...ring.map(([lon]) => lon)) - 10).toBeCloseTo(5 / (metresAcross(52) / 360), 9);
    expect(ground([], 5)).toEqual([]);
  });
});

test('a viewpoint in the address is the same view again, and nothing else is one', () => {
  const at = { zoom: 17.254, lat: 52.1234567, lon: -10.7654321 };
  expect(writeViewpoint(at)).toBe('17.25/52.123457/-10.765432');
  expect(readViewpoint(writeViewpoint(at))).toEqual({ zoom: 17.25, lat: 52.123457, lon: -10.765432 });
  expect(writeViewpoint({ zoom: 0, lat: 12.3456, lon: 0 })).toBe('0/12.3/0');
  for (const text of [null, '', '17', '17/52', '17/52/10/1', '17/91/10', '25/1/1', 'a/b/c', '17//10', '-1/1/1', '1/1/181']) expect(readViewpoint(text), String(text)).toBeUndefined();
});

test('lots close together have one sign, and each its own from nearby', () => {
  const lots = [{ id: 'a', x: 0.5, y: 0.5 }, { id: 'b', x: 0.50001, y: 0.5 }, { id: 'c', x: 0.6, y: 0.5 }];
  expect(clustered(lots, reachAt(4, 100)).map(({ ids }) => ids)).toEqual([['a', 'b'], ['c']]);
  expect(clustered(lots, reachAt(4, 100))[0]!.x).toBeCloseTo(0.500005, 9);
  expect(clustered(lots, reachAt(16, 100)).length).toBe(3);
  expect(clustered(lots, reachAt(0, 100)).length).toBe(1);
});

test('colours and lengths are read as they are written', () => {
  expect(parts('#ff0080')).toEqual([1, 0, 128 / 255]);
  expect(parts('#fff')).toEqual([1, 1, 1]);
  expect(parts('rgb(1 2 3)')).toEqual([0.5, 0.5, 0.5]);
  expect([1, 1.9, 4, 7, 99, 100, 2600].map(roundLength)).toEqual([1, 1, 2, 5, 50, 100, 2000]);
});

describe('the cloud of spots', () => {
  function begin(spots: Spot[]) {
    const parking = new Parking();
    parking.load([{ id: 'p', name: 'P', location: { lat: 10, lon: 10 } }, { id: 'q', name: 'Q' }], spots);
    let now = 0;
    const tasks: (() => void)[] = [];
    const cloud = new Cloud(parking, (task) => {
      tasks.push(task);
      return () => void tasks.splice(tasks.indexOf(task), 1);
    }, () => now);
    let drawn = 0;
    cloud.changed = () => drawn++;
    return { parking, cloud, tasks, drawn: () => drawn, at: (time: number) => (now = time), statusOf: (index: number) => cloud.looks[index * 2] };
  }
  const three = [spot('p-1', 'p', 'free', { lat: 1, lon: 1 }), spot('p-2', 'p', 'occupied', { lat: 2, lon: 2 }), spot('q-1', 'q', 'unknown')];

  test('has every spot that has a place, and says where the lots are and how many have none', () => {
    const { cloud, statusOf } = begin(three);
    expect(cloud.count).toBe(2);
    expect([statusOf(0), statusOf(1)]).toEqual([0, 2]);
    expect(cloud.lots.value.map(({ lotId, box, unplaced }) => [lotId, box, unplaced])).toEqual([
      ['p', { west: 1, south: 1, east: 10, north: 10 }, 0], ['q', undefined, 1],
    ]);
    const { x, y } = flat({ lat: 2, lon: 2 });
    expect(cloud.places[4]! + cloud.places[6]!).toBeCloseTo(x, 12);
    expect(cloud.places[5]! + cloud.places[7]!).toBeCloseTo(y, 12);
  });

  test('sends only what changed, and when it changed', () => {
    const { parking, cloud, at, drawn, statusOf } = begin(three);
    cloud.take();
    at(3000);
    parking.apply([{ spotId: 'p-2', status: 'free', timestamp: '2026-11-24T10:01:00Z', version: 2, lotId: 'p', change: 'released' }]);
    expect([statusOf(1), cloud.looks[3], cloud.pulsedAt, drawn()]).toEqual([0, 3, 3, 1]);
    expect(cloud.take()).toEqual([1, 2]);
    expect(cloud.take()).toBeUndefined();
    parking.apply([{ spotId: 'p-1', status: 'occupied', timestamp: '2026-11-24T10:02:00Z', version: 2, lotId: 'p', change: 'occupied' }], false);
    expect([statusOf(0), cloud.looks[1]], 'without motion').toEqual([2, -1e6]);
  });

  test('follows spots that come, go and get a place, once a frame', () => {
    const { parking, cloud, tasks, statusOf } = begin(three);
    const shape = cloud.shape.value;
    parking.merge(parking.lots.peek(), [spot('q-1', 'q', 'free', { lat: 5, lon: 5 }, 2)]);
    parking.apply([{ spotId: 'p-1', status: 'free', timestamp: '', version: 3, lotId: 'p', change: 'removed' }]);
    expect([tasks.length, cloud.count]).toEqual([1, 2]);
    tasks.shift()!();
    expect([cloud.count, statusOf(0), statusOf(1), cloud.shape.value]).toEqual([2, 2, 0, shape + 1]);
    parking.apply([{ spotId: 'q-1', status: 'closed', timestamp: '', version: 3, lotId: 'q', change: 'closed' }]);
    expect(statusOf(1)).toBe(5);
    cloud.end();
    parking.apply([{ spotId: 'q-1', status: 'free', timestamp: '', version: 4, lotId: 'q', change: 'reopened' }]);
    expect(statusOf(1), 'ended').toBe(5);
  });

  test('finds the spot under a finger among those that are shown', () => {
    const { cloud } = begin(three);
    const { x, y } = flat({ lat: 1.1, lon: 1 });
    expect(cloud.nearest(x, y, 0.001, () => true)?.peek().spotId).toBe('p-1');
    expect(cloud.nearest(x, y, 0.00001, () => true)).toBeUndefined();
    expect(cloud.nearest(x, y, 0.1, ({ status }) => status === 'occupied')?.peek().spotId).toBe('p-2');
    expect(cloud.indexOf(cloud.cellAt(1))).toBe(1);
    expect(cloud.indexOf(undefined)).toBe(-1);
  });
});
