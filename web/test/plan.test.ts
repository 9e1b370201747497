import { describe, expect, test } from 'vitest';
import { Parking } from '../src/live/parking';
import type { Location, Spot } from '../src/live/wire';
import { asGrids, canDraw, floorsOf } from '../src/plan/floors';
import { layOut, stepFrom } from '../src/plan/geometry';
import { atOnce } from '../src/ui/pace';

const degree = 111_319.49; // metres
/** A point so many metres from a middle, in a town that is turned against north. */
function at(east: number, north: number, turn = 0.3): Location {
  const [x, y] = [east * Math.cos(turn) - north * Math.sin(turn), east * Math.sin(turn) + north * Math.cos(turn)];
  return { lat: 52 + y / degree, lon: 10 + x / (degree * Math.cos((52 * Math.PI) / 180)) };
}
const rows = (columns: number, n: number, width: number, depth: number, east = 0): Location[] =>
  Array.from({ length: n }, (_, i) => at(east + (i % columns) * width, -Math.floor(i / columns) * depth));

describe('a plan', () => {
  test('has straight rows, however the lot is turned, and the bays of a row side by side', () => {
    const layout = layOut(rows(10, 40, 2.6, 8.5))!;
    expect(layout.bay.width).toBeCloseTo(2.6 * 0.88, 1);
    expect(layout.bay.height / layout.bay.width).toBeCloseTo(2, 1);
    for (let i = 1; i < 10; i++) {
      expect(layout.places[i]!.y).toBeCloseTo(layout.places[0]!.y, 1);
      expect(layout.places[i]!.x - layout.places[i - 1]!.x).toBeCloseTo(2.6, 1);
    }
    expect(layout.places[10]!.y - layout.places[0]!.y, 'lanes keep their room').toBeCloseTo(8.5, 1);
    expect(layout.width / layout.height).toBeCloseTo((9 * 2.6 + 2.3) / (3 * 8.5 + 4.6), 0);
  });

  test('lies across the screen, which is wider than high', () => {
    const layout = layOut(Array.from({ length: 20 }, (_, i) => at(0, i * 2.6)))!;
    expect(layout.width).toBeGreaterThan(layout.height * 5);
  });

  test('has no bay upon another, even where spots lie along a bend', () => {
    const { bay, places } = layOut(Array.from({ length: 30 }, (_, i) => at(20 * Math.cos(i / 8), 20 * Math.sin(i / 8))))!;
    const clash = places.flatMap((a, i) => places.slice(i + 1).filter((b) => Math.abs(a.x - b.x) < bay.width * 0.9 && Math.abs(a.y - b.y) < bay.height * 0.9));
    expect(clash.length).toBeLessThanOrEqual(2);
  });

  test('is none of places that say nothing', () => {
    expect(layOut([])).toBeUndefined();
    expect(layOut([at(0, 0)])).toBeUndefined();
    expect(layOut(Array.from({ length: 50 }, () => at(0, 0))), 'all at the place of the lot').toBeUndefined();
    expect(layOut([...rows(10, 40, 2.6, 8.5), ...rows(10, 40, 2.6, 8.5)]), 'two levels, one above the other').toBeUndefined();
  });

  test('has a place for each of 6,000 spots', () => {
    expect(layOut(rows(60, 6000, 2.6, 6))!.places.length).toBe(6000);
  });

  test('leads the arrow keys to the nearest bay that lies that way', () => {
    const { places } = layOut(rows(10, 30, 2.6, 8.5))!;
    expect(stepFrom(places, 0, 1, 0)).toBe(1);
    expect(stepFrom(places, 7, -1, 0)).toBe(6);
    expect(stepFrom(places, 2, 0, 1)).toBe(12);
    expect(stepFrom(places, 12, 0, -1)).toBe(2);
    expect(stepFrom(places, 0, -1, 0)).toBeUndefined();
    expect(stepFrom(places, 29, 0, 1)).toBeUndefined();
  });
});

describe('the floors of a lot', () => {
  const inZone = (zoneId: string, places: (Location | undefined)[]): Spot[] => places.map((location, i) =>
    ({ spotId: `${zoneId}-${i}`, lotId: 'p', zoneId, name: `${zoneId} ${i}`, status: 'free', version: 1, changedAt: '', ...(location && { location }) }));
  function lot(spots: Spot[], zones: readonly (readonly [id: string, level?: number])[]): Parking {
    const parking = new Parking();
    parking.load([{ id: 'p', name: 'P' }], spots);
    parking.setZones('p', zones.map(([id, level]) => ({ id, lotId: 'p', name: id.toUpperCase(), ...(level !== undefined && { level }) })));
    return parking;
  }
  const made = (parking: Parking) => atOnce(floorsOf(parking, 'p'));
  const shape = (parking: Parking, drawn = true) => (drawn ? made(parking) : asGrids(made(parking))).map(({ key, parts }) =>
    [key, ...parts.map(({ layout, zones }) => `${layout ? 'drawn' : 'grid'} ${zones.map(({ id, bays }) => `${id}:${bays.length}`).join(' ')}`)]);

  test('come by level, and each is drawn as it lies', () => {
    const parking = lot([...inZone('b', rows(10, 20, 2.6, 8)), ...inZone('a', rows(10, 20, 2.6, 8))], [['a', 1], ['b', -1]]);
    expect(shape(parking)).toEqual([['-1', 'drawn b:20'], ['1', 'drawn a:20']]);
    expect(shape(parking, false)).toEqual([['-1', 'grid b:20'], ['1', 'grid a:20']]);
    expect([canDraw(made(parking)), canDraw(asGrids(made(parking)))]).toEqual([true, false]);
  });

  test('show zones beside each other as they lie, unless that would be too wide', () => {
    const near = lot([...inZone('a', rows(10, 20, 2.6, 8)), ...inZone('b', rows(10, 20, 2.6, 8, 32))], [['a'], ['b']]);
    expect(shape(near)).toEqual([['', 'drawn a:20 b:20']]);
    const far = lot([...inZone('a', rows(10, 20, 2.6, 8)), ...inZone('b', rows(10, 20, 2.6, 8, 300))], [['a'], ['b']]);
    expect(shape(far)).toEqual([['', 'drawn a:20', 'drawn b:20']]);
  });

  test('have a tidy grid for what has no place', () => {
    const parking = lot([...inZone('a', [...rows(5, 10, 2.6, 8), undefined]), ...inZone('b', [undefined, undefined])], [['a'], ['b', 2]]);
    expect(shape(parking)).toEqual([['', 'drawn a:10', 'grid a:1'], ['2', 'grid b:2']]);
  });

  test('are made in steps, between which spots may come and go', () => {
    const zones = Array.from({ length: 10 }, (_, i) => `z${i}`);
    const spots = zones.flatMap((id, i) => inZone(id, rows(50, 2_000, 2.6, 6.5, i * 200)));
    const parking = lot(spots, zones.map((id) => [id] as const));
    const steps = floorsOf(parking, 'p');
    let count = 0;
    for (; ; count++) {
      const { done, value } = steps.next();
      if (done) {
        expect(value.flatMap(({ parts }) => parts.map(({ layout }) => layout?.places.length))).toEqual(zones.map(() => 2_000));
        break;
      }
      parking.load([{ id: 'p', name: 'P' }], spots.filter((_, i) => i % 500 !== count)); // some lose their place in the state
    }
    expect(count).toBeGreaterThanOrEqual(zones.length * 2);
  });
});
