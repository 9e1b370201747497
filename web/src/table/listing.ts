// The table's list, which follows the spots: at once where one changes now and then, and a few times a second where hundreds do.
import { effect, signal, untracked, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Parking } from '../live/parking';
import { Rows, type Found } from './rows';
import type { View } from './view';

/** Between two lists, in milliseconds; and how much of the time making them may take. */
export const pace = { least: 250, share: 0.1 };

export class Listing {
  readonly #rows: Rows;
  readonly #found: Signal<Found>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBefore = 0;

  constructor(private readonly parking: Parking, private readonly view: ReadonlySignal<View>) {
    this.#rows = new Rows(parking);
    this.#found = signal<Found>({ cells: [], byStatus: { free: 0, reserved: 0, occupied: 0, unknown: 0, out_of_service: 0, closed: 0 }, total: 0 });
    this.#make();
  }

  get found(): ReadonlySignal<Found> {
    return this.#found;
  }

  /** Returns what ends it. */
  follow(): () => void {
    let isMade = true; // a moment ago, for the first look: what has come since is in the next one
    const ofView = effect(() => {
      this.view.value;
      if (!isMade) untracked(() => this.#make());
    });
    const ofSpots = effect(() => {
      this.#watch(this.view.value.lot);
      untracked(() => this.#soon());
    });
    isMade = false;
    return () => {
      ofView();
      ofSpots();
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Reads all that the list depends on. */
  #watch(lotId: string | undefined): void {
    const { parking } = this;
    (lotId === undefined ? parking.total : parking.countsOfLot(lotId)).value;
    for (const { id } of parking.lots.value) {
      if (lotId !== undefined && id !== lotId) continue;
      parking.spotsOfLot(id);
      parking.zonesOfLot(id).value;
    }
  }

  #soon(): void {
    const wait = this.#notBefore - performance.now();
    if (wait <= 0) this.#make();
    else this.#timer ??= setTimeout(() => this.#make(), wait);
  }

  #make(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const begin = performance.now();
    this.#found.value = untracked(() => this.#rows.find(this.view.peek()));
    const end = performance.now();
    this.#notBefore = end + Math.max(pace.least, (end - begin) / pace.share);
  }
}
