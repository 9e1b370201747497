// A list of which the newest pages are loaded, and older ones when they are asked for.
import { batch, signal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import type { Page } from './wire';

type Load<T> = (cursor: string | undefined) => Promise<Page<T>>;

/** Answers are taken in the order in which they were asked for, whichever comes first. */
export class PageList<T extends { readonly id: string }> {
  readonly #items = signal<readonly T[] | undefined>(undefined);
  readonly #next = signal<string | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);
  #asked = 0; // for the newest page
  #taken = 0;

  constructor(private readonly load: Load<T>) {}

  /** Undefined: not loaded yet. */
  get items(): ReadonlySignal<readonly T[] | undefined> {
    return this.#items;
  }

  /** Where what is older begins, if there is any. */
  get next(): ReadonlySignal<string | undefined> {
    return this.#next;
  }

  get problem(): ReadonlySignal<Problem | undefined> {
    return this.#problem;
  }

  /** Loads the newest again. */
  async refresh(): Promise<void> {
    const asked = ++this.#asked;
    await this.#ask(undefined, (page) => {
      if (asked < this.#taken) return;
      this.#taken = asked;
      // What lies behind the page stays, where the page reaches as far as what was there; what is not in it any more is gone.
      const had = this.#items.peek() ?? [];
      const at = had.findIndex(({ id }) => id === page.items.at(-1)?.id);
      const behind = page.next !== undefined && at >= 0 ? had.slice(at + 1) : [];
      this.#items.value = [...page.items, ...behind];
      if (behind.length === 0) this.#next.value = page.next;
    });
  }

  /** Loads what is older. */
  async older(): Promise<void> {
    const from = this.#next.peek();
    if (from === undefined) return;
    let moved = false;
    await this.#ask(from, (page) => {
      moved = from !== this.#next.peek(); // the list ends elsewhere by now
      if (moved) return;
      const had = this.#items.peek() ?? [];
      this.#items.value = [...had, ...page.items.filter(({ id }) => !had.some((item) => item.id === id))];
      this.#next.value = page.next;
    });
    if (moved) await this.older();
  }

  async #ask(cursor: string | undefined, take: (page: Page<T>) => void): Promise<void> {
    try {
      const page = await this.load(cursor);
      batch(() => {
        take(page);
        this.#problem.value = undefined;
      });
    } catch (error) {
      this.#problem.value = problemOf(error);
    }
  }
}

export interface Pages<T> {
  /** Undefined: not loaded yet. */
  readonly items: readonly T[] | undefined;
  readonly problem: Problem | undefined;
  /** Loads what is older; undefined: there is nothing. */
  readonly older: (() => void) | undefined;
  /** Loads the newest again. */
  readonly refresh: () => void;
}

/** The items by what they are loaded by; `again` loads the newest again when its value changes. */
export function usePages<T extends { readonly id: string }>(key: string, load: Load<T>, again: ReadonlySignal<unknown>): Pages<T> {
  const latest = useRef(load);
  latest.current = load;
  const list = useMemo(() => new PageList<T>((cursor) => latest.current(cursor)), [key]);
  useEffect(() => void list.refresh(), [list]);
  useSignalEffect(() => {
    again.value;
    if (list.items.peek() !== undefined) void list.refresh();
  });
  return {
    items: list.items.value, problem: list.problem.value, refresh: () => void list.refresh(),
    older: list.next.value === undefined ? undefined : () => void list.older(),
  };
}
