import { signal, type ReadonlySignal } from '@preact/signals';

const now = signal(Date.now());

/** The time, in steps that relative times need. Views that read it follow it. */
export const clock: ReadonlySignal<number> = now;

/** Starts the clock and returns what stops it. */
export function startClock(step = 5_000): () => void {
  const timer = setInterval(() => (now.value = Date.now()), step);
  return () => clearInterval(timer);
}
