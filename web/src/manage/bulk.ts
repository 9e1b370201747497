// One thing after another for many spots, a few at a time.
import type { Problem } from '../live/http';

const together = 6; // requests

export interface Refused<T> {
  readonly item: T;
  readonly problem: Problem;
}

/** Does something for each item and tells how far it is. What was refused does not keep the others from being done; stopped is asked before each. */
export async function forEach<T>(items: readonly T[], task: (item: T) => Promise<Problem | undefined>, told: (done: number) => void, stopped: () => boolean = () => false): Promise<Refused<T>[]> {
  const refused: Refused<T>[] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < items.length && !stopped()) {
      const item = items[next++]!;
      const problem = await task(item);
      if (problem) refused.push({ item, problem });
      told(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(together, items.length) }, work));
  return refused;
}
