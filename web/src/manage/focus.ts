import { go } from '../ui/router';

/** Goes to a view after something was done, where the keyboard goes on at its heading, as after a link. */
export function arriveAt(path: string): void {
  go(path);
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus());
}
