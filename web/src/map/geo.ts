// Where points of the earth lie on a flat map, boxes around them, and the outlines of what they make up.
import type { Location } from '../live/wire';

/** A point of the Mercator square, from 0 to 1: from the west, and from the north. */
export interface Flat {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

const edge = 85.051129; // degrees: there the square ends
const equator = 40_075_016.686; // metres

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

export function flat({ lat, lon }: Location): Flat {
  const sine = Math.sin(radians(Math.max(-edge, Math.min(edge, lat))));
  return { x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
}

/** The point of the earth at a point of the square. */
export const unflat = ({ x, y }: Flat): Location => ({ lat: (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, lon: (x - 0.5) * 360 });

/** How many metres the side of the Mercator square stands for at a latitude. */
export const metresAcross = (lat: number): number => equator * Math.cos(radians(Math.max(-edge, Math.min(edge, lat))));

/** The smallest box around the points; undefined: there are none. */
export function boxAround(points: Iterable<Location>): Box | undefined {
  let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
  for (const { lat, lon } of points) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  return west <= east ? { west, south, east, north } : undefined;
}

export const middle = ({ west, south, east, north }: Box): Location => ({ lat: (south + north) / 2, lon: (west + east) / 2 });

export const corners = ({ west, south, east, north }: Box): [Location, Location] => [{ lat: south, lon: west }, { lat: north, lon: east }];

/** A number as two of half its length, which a graphics processor can compute with: their sum is the number, to some 1e-15. */
export function halves(value: number): [high: number, low: number] {
  const high = Math.fround(value);
  return [high, value - high];
}

/** The corners of the smallest outline without dents that has all the points in it, by turning always the same way (Andrew). */
export function hull(points: readonly Flat[]): Flat[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  const chain = (ordered: readonly Flat[]): Flat[] => {
    const made: Flat[] = [];
    for (const point of ordered) {
      while (made.length >= 2 && turn(made.at(-2)!, made.at(-1)!, point) <= 0) made.pop();
      made.push(point);
    }
    made.pop(); // it is the first of the other chain
    return made;
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
}

const turn = (a: Flat, b: Flat, c: Flat): number => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);

/** The ground on which the points stand: the outline with some metres around it, as a closed ring of [longitude, latitude]. */
export function ground(points: readonly Location[], margin: number): [number, number][] {
  const first = points[0];
  if (!first) return [];
  const reach = margin / metresAcross(first.lat);
  const wider = hull(points.map(flat)).flatMap(({ x, y }) => [
    { x: x - reach, y: y - reach }, { x: x + reach, y: y - reach }, { x: x + reach, y: y + reach }, { x: x - reach, y: y + reach },
  ]);
  const ring = hull(wider).map(unflat).map(({ lat, lon }): [number, number] => [lon, lat]);
  return [...ring, ring[0]!];
}
