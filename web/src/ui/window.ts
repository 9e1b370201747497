// Of thousands only those are made that are in sight, and a few around them.
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

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

/**
 * Looks before the list is painted, and whenever something is scrolled, whatever it is, or has another size: the window, the list, or what it lies in. That
 * has one too when what stands above the list goes, of which the list hears nothing else.
 */
function useLook(element: RefObject<HTMLElement | null>, look: () => void, inputs: readonly unknown[]): void {
  const latest = useRef(look);
  useLayoutEffect(() => {
    latest.current = look;
    look();
  }, inputs);
  useLayoutEffect(() => {
    const again = () => latest.current();
    let frame = 0;
    const sizes = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(again); // what is drawn then may have another size again
    });
    for (let each = element.current; each; each = each.parentElement) sizes.observe(each);
    document.addEventListener('scroll', again, { capture: true, passive: true });
    addEventListener('resize', again);
    return () => {
      sizes.disconnect();
      cancelAnimationFrame(frame);
      document.removeEventListener('scroll', again, { capture: true });
      removeEventListener('resize', again);
    };
  }, [element]);
}

/** Follows which rows of a list are in sight. */
export function useWindow(list: RefObject<HTMLElement | null>, count: number): Sight {
  const sight = useSignal<Sight>({ from: 0, to: first });
  useLook(list, () => {
    if (!list.current) return;
    const { top, height } = list.current.getBoundingClientRect();
    const now = inSight(top, height, count, innerHeight);
    const { from, to } = sight.peek();
    if (now.from !== from || now.to !== to) sight.value = now;
  }, [list, sight, count]);
  const { from, to } = sight.value;
  return { from: Math.min(from, count), to: Math.min(to, count) };
}

/** What is in sight of things side by side. */
export interface GridSight extends Sight {
  /** How many are in a row; undefined: it is not known yet. */
  readonly columns: number | undefined;
}

/** The same for a grid, whose rows are equally high, and for which the style sheet says how many fit in one. */
export function useGridWindow(grid: RefObject<HTMLElement | null>, count: number): GridSight {
  const sight = useSignal<GridSight>({ from: 0, to: 0, columns: undefined });
  const { columns, from, to } = sight.value;
  useLook(grid, () => {
    if (!grid.current) return;
    const fit = columnsOf(grid.current);
    const before = sight.peek();
    if (fit !== before.columns) return void (sight.value = { ...before, columns: fit }); // its height changes with it
    const { top, height } = grid.current.getBoundingClientRect();
    const rows = inSight(top, height, Math.ceil(count / fit), innerHeight);
    const now = { from: rows.from * fit, to: rows.to * fit, columns: fit };
    if (now.from !== before.from || now.to !== before.to) sight.value = now;
  }, [grid, sight, count, columns]);
  return { columns, from: Math.min(from, count), to: Math.min(to, count) };
}

/** How many are in a row of a grid. */
export const columnsOf = (grid: HTMLElement): number => getComputedStyle(grid).gridTemplateColumns.split(' ').length;

/** A part of an element, in shares of its width and height. */
export interface Cutout {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const rim = 160; // pixels beyond the edges
const grain = 120; // pixels: so seldom another part counts as in sight

/** Follows which part of a large element is in sight, which is moved inside of its parent and with it. shape: what its size depends on. Where it is off nothing is. */
export function useCutout(element: RefObject<HTMLElement | null>, on: boolean, shape: readonly unknown[]): Cutout {
  const sight = useSignal<Cutout>({ left: 0, top: 0, right: 0, bottom: 0 });
  useLook(element, () => {
    if (!on || !element.current?.parentElement) return; // to look makes the browser lay out the page at once
    const frame = element.current.parentElement.getBoundingClientRect();
    const { left, top, width, height } = element.current.getBoundingClientRect();
    const before = (edge: number) => Math.floor((edge - rim) / grain) * grain;
    const after = (edge: number) => Math.ceil((edge + rim) / grain) * grain;
    const now = {
      left: before(Math.max(frame.left, 0) - left) / width, right: after(Math.min(frame.right, innerWidth) - left) / width,
      top: before(-top) / height, bottom: after(innerHeight - top) / height,
    };
    const last = sight.peek();
    if (now.left !== last.left || now.top !== last.top || now.right !== last.right || now.bottom !== last.bottom) sight.value = now;
  }, [element, sight, on, ...shape]);
  return sight.value;
}
