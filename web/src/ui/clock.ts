import { signal, type ReadonlySignal } from '@preact/signals';

const now = signal(Date.now());

/** The time, in steps that relative times need. Views that read it follow it. */
export const clock: ReadonlySignal<number> = now;

/** Starts the clock and returns what stops it. */
export function startClock(step = 5_000): () => void {
  const tick = () => (now.value = Date.now());
  const timer = setInterval(tick, step);
  const seen = () => document.hidden || tick(); // a hidden page's clock runs slowly
  document.addEventListener('visibilitychange', seen);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', seen);
  };
}
