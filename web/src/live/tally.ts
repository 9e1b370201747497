import { signal, type ReadonlySignal } from '@preact/signals';
import { statuses, type Status } from './wire';

export type Counts = Readonly<Record<Status, number>> & { readonly total: number };

const nothing: Counts = { total: 0, free: 0, reserved: 0, occupied: 0, unknown: 0, out_of_service: 0, closed: 0 };

/** Counts how many spots have each status. What it shows changes when it is published, once a batch. */
export class Tally {
  readonly #shown = signal(nothing);
  readonly #now = { ...nothing } as Record<Status, number>;

  get counts(): ReadonlySignal<Counts> {
    return this.#shown;
  }

  add(status: Status, n: 1 | -1): void {
    this.#now[status] += n;
  }

  publish(): void {
    const total = statuses.reduce((sum, status) => sum + this.#now[status], 0);
    this.#shown.value = { ...this.#now, total };
  }
}
