// How the keyboard goes through a list of thousands: the tabulator key stops at one of them, other keys go from one to the next. That one exists wherever
// it is, so that the focus is not lost when it is out of sight.
import type { Signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface StopOptions<T> {
  readonly list: RefObject<HTMLElement | null>;
  /** All there are, in order. Their elements have their number as data-index. */
  readonly items: readonly T[];
  /** Where the focus was last. */
  readonly active: Signal<T | undefined>;
  /** The number of the one at which the tabulator key stops while the focus was nowhere yet. */
  readonly otherwise: number;
  /** Where a key leads from there; undefined: nowhere. */
  readonly step: (key: string, from: number) => number | undefined;
  /** What takes the focus in the element of an item, as a selector; empty: itself. */
  readonly target?: string;
}

/** Returns the number of that one, -1 where there is none, and what the list is to listen to. */
export function useStop<T>({ list, items, active, otherwise, step, target = '' }: StopOptions<T>) {
  const inside = useRef(false);
  const last = useRef(0);
  const at = active.value === undefined ? -1 : items.indexOf(active.value);
  if (at >= 0) last.current = at;
  const near = Math.min(inside.current ? last.current : otherwise, items.length - 1); // where it was, while the focus is inside
  const stop = at >= 0 ? at : near + Number(near >= 0 && items[near] === undefined); // what is no stop stands before one
  const moving = useRef(false);
  useLayoutEffect(() => {
    const { activeElement } = document;
    // What had the focus is gone, and nothing else has got it. Where there is no list any more, or somebody has gone on from there, it is not brought back.
    const lost = inside.current && activeElement === document.body;
    inside.current = list.current !== null && (lost || list.current.contains(activeElement));
    if (!moving.current && !(lost && inside.current)) return;
    list.current?.querySelector<HTMLElement>(`[data-index="${stop}"] ${target}`.trim())?.focus({ preventScroll: !moving.current });
    moving.current = false;
  });
  const take = ({ target: element }: Event) => {
    const index = (element as Element).closest<HTMLElement>('[data-index]')?.dataset.index;
    if (index !== undefined) active.value = items[Number(index)] ?? active.peek();
  };
  return {
    stop,
    listeners: {
      onKeyDown: (event: KeyboardEvent) => {
        if (event.altKey || event.metaKey) return;
        const next = step(event.key, stop);
        const item = next === undefined ? undefined : items[next];
        if (item === undefined) return;
        event.preventDefault();
        moving.current = true;
        active.value = item;
      },
      onClick: take,
      onFocusIn: (event: FocusEvent) => {
        inside.current = true;
        take(event);
      },
      onFocusOut: ({ target: left }: FocusEvent) => queueMicrotask(() => {
        // What is gone is not left by anybody.
        if ((left as Node).isConnected && !list.current?.contains(document.activeElement)) inside.current = false;
      }),
    },
  };
}

/** The steps through rows; page: how many are in sight. */
export const throughRows = (count: number, page: number) => (key: string, from: number): number | undefined => {
  const steps: Readonly<Record<string, number>> = { ArrowUp: from - 1, ArrowDown: from + 1, PageUp: from - page, PageDown: from + page, Home: 0, End: count - 1 };
  const next = steps[key];
  return next === undefined ? undefined : Math.max(0, Math.min(count - 1, next));
};
