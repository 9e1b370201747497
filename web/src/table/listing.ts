// The table's list, which follows the spots at a pace: see ui/pace.ts.
import { effect, signal, untracked, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Parking } from '../live/parking';
import { Pace } from '../ui/pace';
import { Rows, type Found } from './rows';
import type { View } from './view';

export class Listing {
  readonly #rows: Rows;
  readonly #found: Signal<Found>;
  readonly #pace = new Pace(() => (this.#found.value = untracked(() => this.#rows.find(this.view.peek()))));

  constructor(private readonly parking: Parking, private readonly view: ReadonlySignal<View>) {
    this.#rows = new Rows(parking);
    this.#found = signal<Found>({ cells: [], byStatus: { free: 0, reserved: 0, occupied: 0, unknown: 0, out_of_service: 0, closed: 0 }, total: 0 });
    this.#pace.now();
  }

  get found(): ReadonlySignal<Found> {
    return this.#found;
  }

  /** Returns what ends it. */
  follow(): () => void {
    let isMade = true; // a moment ago, for the first look: what has come since is in the next one
    const ofView = effect(() => {
      this.view.value;
      if (!isMade) untracked(() => this.#pace.now());
    });
    const ofSpots = effect(() => {
      this.#watch(this.view.value.lot);
      untracked(() => this.#pace.later());
    });
    isMade = false;
    return () => {
      ofView();
      ofSpots();
      this.#pace.stop();
    };
  }

  /** Reads all that the list depends on. */
  #watch(lotId: string | undefined): void {
    const { parking } = this;
    (lotId === undefined ? parking.total : parking.countsOfLot(lotId)).value;
    for (const { id } of parking.lots.value) {
      if (lotId !== undefined && id !== lotId) continue;
      parking.spotsOfLot(id); // and not their order, which is made when the list is
      parking.zonesOfLot(id).value;
    }
  }
}
