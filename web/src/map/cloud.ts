// All spots that have a place, as the graphics processor takes them: one after the other in two arrays, of which a change writes two numbers.
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import type { Parking } from '../live/parking';
import type { Cell } from '../live/shown';
import { statuses, type Location, type Spot } from '../live/wire';
import { Pace } from '../ui/pace';
import { boxAround, flat, halves, type Box } from './geo';

/** Where a lot is, and how many of its spots are on the map. */
export interface LotPlace {
  readonly lotId: string;
  /** Around its spots and the place of the lot itself; undefined: nobody said where it is. */
  readonly box: Box | undefined;
  /** The places of its spots, those of each zone together. */
  readonly grounds: readonly (readonly Location[])[];
  readonly unplaced: number;
}

interface Point {
  readonly cell: Cell;
  index: number;
  pulse: number;
}

export class Cloud {
  /** Four numbers for each spot: x and y as far as half of their length goes, then what is left of them. */
  places = new Float32Array(0);
  /** Two numbers for each spot: its status, and when it changed, in seconds since this began. */
  looks = new Float32Array(0);
  /** The newest of these times. */
  pulsedAt = -Infinity;
  /** Which part of looks has changed since it was taken: [from, to), in spots. */
  #fresh: [number, number] = [Infinity, 0];
  #points = new Map<Cell, Point>();
  #order: Point[] = [];
  #flat = new Float64Array(0);
  readonly #lots = signal<readonly LotPlace[]>([]);
  readonly #shape = signal(0);
  readonly #begin: number;
  readonly #stops: (() => void)[];
  readonly #pace = new Pace(() => this.#build());
  #building: (() => void) | undefined;

  /** Called when something is to be drawn anew. */
  changed: () => void = () => undefined;

  /** later runs a task once, soon, and returns what calls it off. */
  constructor(
    private readonly parking: Parking,
    later: (task: () => void) => () => void = atNextFrame,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#begin = now();
    let first = true;
    const ofLots = effect(() => {
      for (const { id } of parking.lots.value) parking.spotsOfLot(id);
      if (first) untracked(() => this.#build());
      else this.#building ??= later(() => this.#pace.soon());
      first = false;
    });
    this.#stops = [ofLots, parking.watch((changed) => changed.forEach((cell) => this.#show(cell)))];
  }

  get count(): number {
    return this.#order.length;
  }

  /** The lots, as they are on the map. */
  get lots(): ReadonlySignal<readonly LotPlace[]> {
    return this.#lots;
  }

  /** Counts how often spots came, went or moved: then everything is to be taken anew. */
  get shape(): ReadonlySignal<number> {
    return this.#shape;
  }

  /** The time in looks. */
  get seconds(): number {
    return (this.now() - this.#begin) / 1000;
  }

  /** What is to be taken anew of looks, which then counts as taken; undefined: nothing. */
  take(): [from: number, to: number] | undefined {
    const [from, to] = this.#fresh;
    this.#fresh = [Infinity, 0];
    return from < to ? [from, Math.min(to, this.count)] : undefined;
  }

  cellAt(index: number): Cell | undefined {
    return this.#order[index]?.cell;
  }

  indexOf(cell: Cell | undefined): number {
    return (cell && this.#points.get(cell)?.index) ?? -1;
  }

  /** The spot that is nearest to a point, within reach (both in the Mercator square), among those that are wanted. */
  nearest(x: number, y: number, reach: number, wanted: (spot: Spot) => boolean): Cell | undefined {
    let best = reach * reach;
    let found: Cell | undefined;
    for (const { cell, index } of this.#order) {
      const dx = this.#flat[index * 2]! - x;
      const dy = this.#flat[index * 2 + 1]! - y;
      const distance = dx * dx + dy * dy;
      if (distance >= best || !wanted(cell.peek())) continue;
      best = distance;
      found = cell;
    }
    return found;
  }

  end(): void {
    for (const stop of this.#stops) stop();
    this.#building?.();
    this.#pace.stop();
  }

  /** Takes all spots over. */
  #build(): void {
    this.#building = undefined;
    const before = this.#points;
    this.#points = new Map();
    this.#order = [];
    const lots: LotPlace[] = [];
    for (const lot of this.parking.lots.peek()) {
      const grounds = new Map<string, Location[]>();
      let unplaced = 0;
      for (const cell of this.parking.spotsOfLot(lot.id)) {
        const { location, zoneId = '' } = cell.peek();
        if (!location) unplaced++;
        else {
          const its = grounds.get(zoneId);
          if (its) its.push(location);
          else grounds.set(zoneId, [location]);
          this.#order.push(before.get(cell) ?? { cell, index: 0, pulse: cell.peek().pulse });
        }
      }
      const spots = [...grounds.values()].flat();
      lots.push({ lotId: lot.id, box: boxAround(lot.location ? [...spots, lot.location] : spots), grounds: [...grounds.values()], unplaced });
    }
    const n = this.#order.length;
    const looks = new Float32Array(n * 2);
    this.places = new Float32Array(n * 4);
    this.#flat = new Float64Array(n * 2);
    this.#order.forEach((point, index) => {
      looks[index * 2 + 1] = before.has(point.cell) ? this.looks[point.index * 2 + 1]! : -1e6;
      point.index = index;
      this.#place(index, point.cell.peek().location!);
    });
    this.looks = looks;
    for (const point of this.#order) this.#points.set(point.cell, point);
    for (const { cell } of this.#order) this.#show(cell);
    this.#lots.value = lots;
    this.#shape.value++;
    this.changed();
  }

  #place(index: number, location: Location): void {
    const { x, y } = flat(location);
    const [xHigh, xLow] = halves(x);
    const [yHigh, yLow] = halves(y);
    this.places.set([xHigh, yHigh, xLow, yLow], index * 4);
    this.#flat.set([x, y], index * 2);
  }

  /** Writes how a spot looks. */
  #show(cell: Cell): void {
    const { status, pulse } = cell.peek();
    const point = this.#points.get(cell);
    if (!point) return; // it has no place, or is yet to be taken over
    const { index } = point;
    this.looks[index * 2] = statuses.indexOf(status);
    if (pulse > point.pulse) {
      this.looks[index * 2 + 1] = this.seconds;
      this.pulsedAt = this.seconds;
    }
    point.pulse = pulse;
    this.#fresh = [Math.min(this.#fresh[0], index), Math.max(this.#fresh[1], index + 1)];
    this.changed();
  }
}

function atNextFrame(task: () => void): () => void {
  const frame = requestAnimationFrame(task);
  return () => cancelAnimationFrame(frame);
}
