// Of a list of thousands only those rows are made that are in sight, and a few around them.
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Rows from the first to before the last. */
export interface Sight {
  readonly from: number;
  readonly to: number;
}

const around = 8; // rows beyond the edges, so that scrolling shows no hole
const step = 4; // rows: so seldom is the list drawn anew while it is scrolled
const first = 40; // rows, until it is known how high they are

/** The rows in sight of a list of equally high ones, which begins at top and is height high, in a window with this much room. */
export function inSight(top: number, height: number, count: number, room: number): Sight {
  if (count === 0 || height <= 0) return { from: 0, to: Math.min(count, first) };
  const row = height / count;
  const from = Math.floor((-top / row - around) / step) * step;
  const to = Math.ceil(((room - top) / row + around) / step) * step;
  return { from: Math.min(count, Math.max(0, from)), to: Math.min(count, Math.max(0, to)) };
}

/** Follows which rows of the list are in sight, whatever it is that scrolls. */
export function useWindow(list: RefObject<HTMLElement | null>, count: number): Sight {
  const sight = useSignal<Sight>({ from: 0, to: first });
  useLayoutEffect(() => {
    const look = () => {
      if (!list.current) return;
      const { top, height } = list.current.getBoundingClientRect();
      const now = inSight(top, height, count, innerHeight);
      const { from, to } = sight.peek();
      if (now.from !== from || now.to !== to) sight.value = now;
    };
    look();
    document.addEventListener('scroll', look, { capture: true, passive: true });
    addEventListener('resize', look);
    return () => {
      document.removeEventListener('scroll', look, { capture: true });
      removeEventListener('resize', look);
    };
  }, [list, sight, count]);
  const { from, to } = sight.value;
  return { from: Math.min(from, count), to: Math.min(to, count) };
}
