// What happened to a spot, the newest first: page by page into the past, and with what comes on top.
import { batch, signal, type ReadonlySignal } from '@preact/signals';
import { problemOf, type Problem } from '../live/http';
import type { Entry, EntryPage } from './wire';

type Load = (cursor: string | undefined) => Promise<EntryPage>;

export const keyOf = ({ eventId, change, recordedAt }: Entry): string => eventId ?? `${change} ${recordedAt}`;

export class Trail {
  readonly #entries = signal<readonly Entry[] | undefined>(undefined);
  readonly #next = signal<string | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);
  readonly #busy = signal(false);
  #again = false;

  constructor(private readonly load: Load) {}

  /** Undefined, as long as nothing is known. */
  get entries(): ReadonlySignal<readonly Entry[] | undefined> {
    return this.#entries;
  }

  /** Where the past goes on, if it does. */
  get next(): ReadonlySignal<string | undefined> {
    return this.#next;
  }

  get problem(): ReadonlySignal<Problem | undefined> {
    return this.#problem;
  }

  get busy(): ReadonlySignal<boolean> {
    return this.#busy;
  }

  /** Fetches what is new. Asked for while something is fetched, it is done afterwards. */
  async refresh(): Promise<void> {
    this.#again = true;
    if (this.#busy.peek()) return;
    while (this.#again) {
      this.#again = false;
      await this.#fetch(undefined);
    }
  }

  /** Fetches what was before. */
  async older(): Promise<void> {
    const next = this.#next.peek();
    if (next === undefined || this.#busy.peek()) return;
    await this.#fetch(next);
    if (this.#again) await this.refresh();
  }

  async #fetch(cursor: string | undefined): Promise<void> {
    this.#busy.value = true;
    try {
      const page = await this.load(cursor);
      batch(() => {
        this.#take(page, cursor);
        this.#problem.value = undefined;
      });
    } catch (error) {
      this.#problem.value = problemOf(error);
    } finally {
      this.#busy.value = false;
    }
  }

  #take({ items, next }: EntryPage, cursor: string | undefined): void {
    const known = this.#entries.peek() ?? [];
    if (cursor !== undefined) {
      this.#entries.value = [...known, ...items];
      this.#next.value = next;
      return;
    }
    const newest = known[0] && keyOf(known[0]);
    const overlap = items.findIndex((entry) => keyOf(entry) === newest);
    if (overlap >= 0) this.#entries.value = overlap === 0 ? known : [...items.slice(0, overlap), ...known];
    else {
      // So much happened that there is a hole: it begins anew, without one.
      this.#entries.value = items;
      this.#next.value = next;
    }
  }
}
