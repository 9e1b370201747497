// A plan from the places of spots: turned so that rows run along the screen, with bays as large as their neighbours leave room for.
import type { Location } from '../live/wire';
import { flat, metresAcross } from '../map/geo';

interface Point {
  readonly x: number;
  readonly y: number;
}

/** In metres, from the upper left corner. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly bay: { readonly width: number; readonly height: number };
  /** The middles of the bays, in the order of the spots. */
  readonly places: readonly Point[];
}

const closest = 0.5; // metres between two spots; nearer, places were guessed, or one stands above the other
const taken = 0.88; // of the room between two bays

/** Undefined: there are too few places, or they make no plan, as when all spots of a lot have the lot's own place. */
export function layOut(locations: readonly Location[]): Layout | undefined {
  if (locations.length < 2) return undefined;
  const points = inMetres(locations);
  const vectors = toNearest(points);
  const distances = vectors.map(({ x, y }) => Math.hypot(x, y)).sort((a, b) => a - b);
  const spacing = quantile(distances, 0.5)!;
  if (spacing < closest || quantile(distances, 0.1)! < spacing * 0.4) return undefined;
  const angle = direction(vectors);
  let turned = points.map((point) => rotated(point, -angle));
  let steps = vectors.map((vector) => rotated(vector, -angle));
  const [across, down] = extent(turned);
  if (down > across * 1.2) [turned, steps] = [turned.map(upright), steps.map(upright)];
  return framed(turned, baySize(turned, steps, spacing));
}

function inMetres(locations: readonly Location[]): Point[] {
  const first = flat(locations[0]!);
  const scale = metresAcross(locations[0]!.lat);
  return locations.map(flat).map(({ x, y }) => ({ x: (x - first.x) * scale, y: (y - first.y) * scale }));
}

const rotated = ({ x, y }: Point, angle: number): Point => ({ x: x * Math.cos(angle) - y * Math.sin(angle), y: x * Math.sin(angle) + y * Math.cos(angle) });
const upright = ({ x, y }: Point): Point => ({ x: -y, y: x });

function extent(points: readonly Point[]): [width: number, height: number, left: number, top: number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  return [right - left, bottom - top, left, top];
}

/** From each point to the one that is nearest to it: among those in the order of x, as far as x alone does not say that they are farther. */
function toNearest(points: readonly Point[]): Point[] {
  const order = Uint32Array.from(points.keys()).sort((a, b) => points[a]!.x - points[b]!.x);
  const xs = Float64Array.from(order, (index) => points[index]!.x); // side by side, as there are millions of looks at them
  const ys = Float64Array.from(order, (index) => points[index]!.y);
  const found: Point[] = new Array(points.length);
  for (let rank = 0; rank < order.length; rank++) {
    const x = xs[rank]!;
    const y = ys[rank]!;
    let best = Infinity; // squared
    let nearest = rank;
    for (let step = -1; step <= 1; step += 2) {
      for (let other = rank + step; other >= 0 && other < order.length; other += step) {
        const dx = xs[other]! - x;
        const dy = ys[other]! - y;
        const across = dx * dx;
        if (across >= best) break;
        const distance = across + dy * dy;
        if (distance >= best) continue;
        best = distance;
        nearest = other;
      }
    }
    found[order[rank]!] = { x: xs[nearest]! - x, y: ys[nearest]! - y };
  }
  return found;
}

/** Where rows and columns run: the mean of all directions, in which a quarter turn is none. */
function direction(vectors: readonly Point[]): number {
  let [sine, cosine] = [0, 0];
  for (const { x, y } of vectors) {
    const fourfold = 4 * Math.atan2(y, x);
    sine += Math.sin(fourfold);
    cosine += Math.cos(fourfold);
  }
  return Math.atan2(sine, cosine) / 4;
}

function baySize(points: readonly Point[], steps: readonly Point[], spacing: number): Layout['bay'] {
  const along = gap(points.map(({ x, y }) => [y, x]), spacing);
  const between = gap(points.map(({ x, y }) => [x, y]), spacing);
  const room = { width: taken * (along ?? between ?? spacing), height: taken * (between ?? along ?? spacing) };
  const width = Math.min(room.width, room.height * 1.25);
  const height = Math.min(room.height, width * 2); // as a car is
  const clashes = steps.filter(({ x, y }) => Math.abs(x) < width && Math.abs(y) < height).length;
  return clashes > steps.length / 20 ? { width: spacing * 0.7, height: spacing * 0.7 } : { width, height };
}

/** The usual way from one point to the next of its row, where rows are told by the first number; undefined: each is alone in its row. */
function gap(points: readonly (readonly [row: number, at: number])[], spacing: number): number | undefined {
  const rows = new Map<number, number[]>();
  for (const [row, at] of points) {
    const key = Math.round(row / (spacing * 0.5));
    const its = rows.get(key);
    if (its) its.push(at);
    else rows.set(key, [at]);
  }
  const gaps = [...rows.values()].flatMap((row) => {
    row.sort((a, b) => a - b);
    return row.slice(1).map((at, i) => at - row[i]!).filter((each) => each > spacing * 0.3);
  });
  return quantile(gaps.sort((a, b) => a - b), 0.15);
}

const quantile = (sorted: readonly number[], part: number): number | undefined => sorted[Math.floor((sorted.length - 1) * part)];

function framed(points: readonly Point[], bay: Layout['bay']): Layout {
  const [width, height, left, top] = extent(points);
  const margin = Math.min(bay.width, bay.height) * 0.2;
  const places = points.map(({ x, y }) => ({ x: x - left + bay.width / 2 + margin, y: y - top + bay.height / 2 + margin }));
  return { width: width + bay.width + 2 * margin, height: height + bay.height + 2 * margin, bay, places };
}

/** The place that one reaches from another by an arrow key: the nearest that lies that way; undefined: there is none. */
export function stepFrom(places: readonly Point[], from: number, dx: number, dy: number): number | undefined {
  const start = places[from]!;
  let best = Infinity;
  let found: number | undefined;
  places.forEach(({ x, y }, i) => {
    const ahead = (x - start.x) * dx + (y - start.y) * dy;
    const aside = Math.abs((x - start.x) * dy) + Math.abs((y - start.y) * dx);
    const cost = ahead + 3 * aside;
    if (ahead > 0.01 && ahead >= aside * 0.5 && cost < best) [best, found] = [cost, i];
  });
  return found;
}
