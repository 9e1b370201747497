// One thing after another for many, a few at a time.
import { signal } from '@preact/signals';
import type { Problem } from '../live/http';
import type { SpotState } from '../live/shown';
import type { Session } from '../live/session';

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

/** What became of what was to be done to many spots. */
export interface Outcome {
  readonly changed: number;
  readonly refused: readonly Refused<SpotState>[];
  /** Those that were not begun when it was stopped. */
  readonly left: readonly SpotState[];
}

/** What is done to many spots of a lot. It goes on while one looks at other views, until it is done, stopped, or the page is somebody else's. */
export class Bulk {
  readonly #progress = signal<{ readonly done: number; readonly total: number } | undefined>(undefined);
  readonly #outcome = signal<Outcome | undefined>(undefined);
  /** The ids of the spots that are picked. They stay so while one looks at other views, until something was done to them. */
  readonly picked = signal<ReadonlySet<string>>(new Set());
  #stopped = false;

  constructor(private readonly session: Session) {}

  /** Undefined: nothing is under way. */
  get progress() {
    return this.#progress;
  }

  /** Of what was done last. */
  get outcome() {
    return this.#outcome;
  }

  /** Does it for each spot as it then is. Nothing is begun as long as something is under way. */
  async run(spots: readonly SpotState[], task: (spot: SpotState) => Promise<Problem | undefined>): Promise<Outcome | undefined> {
    if (this.#progress.peek()) return undefined;
    const { parking, era } = this.session;
    const total = spots.length;
    this.#stopped = false;
    this.#outcome.value = undefined;
    this.#progress.value = { done: 0, total };
    let begun = 0;
    const stopped = () => this.#stopped || era !== this.session.era;
    const leaving = (event: BeforeUnloadEvent) => stopped() || event.preventDefault(); // the browser asks whether it may end
    addEventListener('beforeunload', leaving);
    const refused = await forEach(
      spots,
      (spot) => (begun++, task(parking.spot(spot.spotId)?.peek() ?? spot)),
      (done) => (this.#progress.value = { done, total }),
      stopped,
    );
    removeEventListener('beforeunload', leaving);
    const done = new Set(spots.slice(0, begun).map(({ spotId }) => spotId));
    for (const { item } of refused) done.delete(item.spotId);
    this.picked.value = new Set([...this.picked.peek()].filter((spotId) => !done.has(spotId) && parking.spot(spotId)));
    this.#progress.value = undefined;
    return (this.#outcome.value = { changed: begun - refused.length, refused, left: spots.slice(begun) });
  }

  /** What was not begun is left as it is. */
  stop(): void {
    this.#stopped = true;
  }
}

const bulks = new WeakMap<Session, { readonly era: number; readonly ofLots: Map<string, Bulk> }>();

/** The one of a lot. */
export function bulkOf(session: Session, lotId: string): Bulk {
  let its = bulks.get(session);
  if (its?.era !== session.era) bulks.set(session, (its = { era: session.era, ofLots: new Map() }));
  let bulk = its.ofLots.get(lotId);
  if (!bulk) its.ofLots.set(lotId, (bulk = new Bulk(session)));
  return bulk;
}
