// A list of which the newest pages are loaded, and older ones when they are asked for.
import { useSignal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import type { Problem } from '../live/http';
import { problemOf } from './book';
import type { Page } from './wire';

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
export function usePages<T extends { readonly id: string }>(key: string, load: (cursor: string | undefined) => Promise<Page<T>>, again: ReadonlySignal<unknown>): Pages<T> {
  const items = useSignal<readonly T[] | undefined>(undefined);
  const next = useSignal<string | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const era = useRef('');
  const latest = useRef(load);
  latest.current = load;

  const ask = useCallback(async (cursor: string | undefined) => {
    const of = era.current;
    try {
      const page = await latest.current(cursor);
      if (of !== era.current) return; // it is of what was asked for before
      const had = items.peek() ?? [];
      if (cursor === undefined) {
        // What lies behind the page stays, where the page reaches as far as what was there; what is not in it any more is gone.
        const at = had.findIndex(({ id }) => id === page.items.at(-1)?.id);
        const behind = page.next !== undefined && at >= 0 ? had.slice(at + 1) : [];
        items.value = [...page.items, ...behind];
        if (behind.length === 0) next.value = page.next;
      } else {
        items.value = [...had, ...page.items.filter(({ id }) => !had.some((item) => item.id === id))];
        next.value = page.next;
      }
      problem.value = undefined;
    } catch (error) {
      if (of === era.current) problem.value = problemOf(error);
    }
  }, [items, next, problem]);

  useEffect(() => {
    era.current = key;
    items.value = next.value = problem.value = undefined;
    void ask(undefined);
    return () => void (era.current = '');
  }, [key, ask, items, next, problem]);
  useSignalEffect(() => {
    again.value;
    if (items.peek() !== undefined) void ask(undefined);
  });
  return {
    items: items.value, problem: problem.value, refresh: () => void ask(undefined),
    older: next.value === undefined ? undefined : () => void ask(next.peek()),
  };
}
