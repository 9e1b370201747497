// What views read: the spots as they are shown, by lot, with counts that are made in the same moment and so always add up.
import { batch, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { Order, type Named } from './order';
import { Tally, type Counts } from './tally';
import type { Location, Spot } from './wire';

/** A spot as it is shown. */
export interface SpotState extends Spot {
  /** How many changes of it were shown with motion. */
  readonly pulse: number;
  /** It was asked for and is not answered yet. */
  readonly proposed?: true;
}

export type Cell = ReadonlySignal<SpotState>;

/** The spots of a lot. */
class Members {
  readonly cells = new Set<Cell>();
  readonly order = new Order(this.cells);
  readonly revision = signal(0);
  readonly tally = new Tally();
  readonly tallies = new Map<string, Tally>(); // of its zones

  tallyOf(zoneId: string): Tally {
    return getOrAdd(this.tallies, zoneId, () => new Tally());
  }
}

export class Shown {
  readonly #cells = new Map<string, Signal<SpotState>>();
  readonly #members = new Map<string, Members>();
  readonly #total = new Tally();
  readonly #watchers = new Set<(changed: readonly Cell[]) => void>();

  // What a batch has changed and not told yet.
  #changed: Cell[] = [];
  readonly #tallies = new Set<Tally>();
  readonly #lots = new Set<string>();

  get total(): ReadonlySignal<Counts> {
    return this.#total.counts;
  }

  countsOfLot(lotId: string): ReadonlySignal<Counts> {
    return this.#membersOf(lotId).tally.counts;
  }

  countsOfZone(lotId: string, zoneId: string): ReadonlySignal<Counts> {
    return this.#membersOf(lotId).tallyOf(zoneId).counts;
  }

  /** Whoever reads them in a view hears when one comes, goes, or gets another name, zone or place. */
  spotsOfLot(lotId: string): Iterable<Cell> {
    const { cells, revision } = this.#membersOf(lotId);
    revision.value;
    return cells;
  }

  /** The same, of which nobody hears. */
  cellsOfLot(lotId: string): ReadonlySet<Cell> {
    return this.#membersOf(lotId).cells;
  }

  spotsByName(lotId: string): readonly Named[] {
    const { order, revision } = this.#membersOf(lotId);
    revision.value;
    return order.list;
  }

  watch(heard: (changed: readonly Cell[]) => void): () => void {
    this.#watchers.add(heard);
    return () => this.#watchers.delete(heard);
  }

  /** A spot that is shown. Nobody hears of it. */
  cell(spotId: string): Cell | undefined {
    return this.#cells.get(spotId);
  }

  ids(): IterableIterator<string> {
    return this.#cells.keys();
  }

  /** Shows a spot like this, or none any more. Within {@link batch}. */
  set(spotId: string, spot: (Spot & { readonly pulse?: number }) | undefined): void {
    if (!spot) return this.#remove(spotId);
    const cell = this.#cells.get(spotId);
    const before = cell?.peek();
    const next: SpotState = { ...spot, pulse: spot.pulse ?? before?.pulse ?? 0 };
    if (before?.status !== next.status || before.lotId !== next.lotId || before.zoneId !== next.zoneId) {
      if (before) this.#count(before, -1);
      this.#count(next, 1);
    }
    if (!cell) {
      const added = signal(next);
      this.#cells.set(spotId, added);
      this.#membersOf(next.lotId).cells.add(added);
      this.#lots.add(next.lotId);
      return;
    }
    if (before!.lotId !== next.lotId) {
      this.#membersOf(before!.lotId).cells.delete(cell);
      this.#membersOf(next.lotId).cells.add(cell);
      this.#lots.add(before!.lotId).add(next.lotId);
    } else if (before!.zoneId !== next.zoneId || before!.name !== next.name || !samePlace(before!.location, next.location)) {
      this.#lots.add(next.lotId);
    }
    if (same(before!, next)) return;
    cell.value = next;
    this.#changed.push(cell);
  }

  #remove(spotId: string): void {
    const cell = this.#cells.get(spotId);
    if (!cell) return;
    const { lotId } = cell.peek();
    this.#count(cell.peek(), -1);
    this.#cells.delete(spotId);
    this.#membersOf(lotId).cells.delete(cell);
    this.#lots.add(lotId);
  }

  #count(spot: Spot, n: 1 | -1): void {
    const lot = this.#membersOf(spot.lotId);
    for (const tally of [this.#total, lot.tally, lot.tallyOf(spot.zoneId ?? '')]) {
      tally.add(spot.status, n);
      this.#tallies.add(tally);
    }
  }

  /** Runs change and then tells the views, once, so that counts and spots always agree. */
  batch(change: () => void): void {
    batch(() => {
      change();
      for (const tally of this.#tallies) tally.publish();
      for (const lotId of this.#lots) {
        const { order, revision } = this.#membersOf(lotId);
        order.touch();
        revision.value++;
      }
      this.#tallies.clear();
      this.#lots.clear();
      const changed = this.#changed;
      this.#changed = [];
      if (changed.length > 0) for (const heard of this.#watchers) heard(changed);
    });
  }

  #membersOf(lotId: string): Members {
    return getOrAdd(this.#members, lotId, () => new Members());
  }
}

export function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function same(a: SpotState, b: SpotState): boolean {
  return a.status === b.status && a.version === b.version && a.zoneId === b.zoneId && a.lotId === b.lotId
    && a.name === b.name && a.category === b.category && a.changedAt === b.changedAt && a.pulse === b.pulse && a.proposed === b.proposed
    && samePlace(a.location, b.location);
}

const samePlace = (a: Location | undefined, b: Location | undefined): boolean => a?.lat === b?.lat && a?.lon === b?.lon;
