import { useEffect, useRef } from 'preact/hooks';
import { go } from '../ui/router';

/** Goes to a view after something was done, where the keyboard goes on at its heading, as after a link. */
export function arriveAt(path: string): void {
  go(path);
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus());
}

/** Where there is no room beside it, what came of something is scrolled to once it is there. */
export function useSeen(cause: unknown, there: boolean) {
  const element = useRef<HTMLDivElement>(null);
  const seen = useRef<unknown>(undefined);
  useEffect(() => {
    if (!there || seen.current === cause) return;
    seen.current = cause;
    const { top = 0 } = element.current?.getBoundingClientRect() ?? {};
    if (top > innerHeight / 2) element.current?.scrollIntoView({ block: 'start' });
  }, [cause, there]);
  return element;
}
