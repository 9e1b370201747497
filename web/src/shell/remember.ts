// Keeps the last state while the page is live, and shows it when the page is opened and the platform cannot be reached.
import { effect, type ReadonlySignal } from '@preact/signals';
import type { KeptLot, Shelf } from '../live/last';
import type { Session } from '../live/session';
import type { Counts } from '../live/tally';

/** When it is kept, and how long the platform is waited for before what was kept is shown, in milliseconds. */
export const pace = { first: 5_000, between: 60_000, patience: 2_500 };

/**
 * isPublic tells whether everybody may see what is shown: undefined, not known yet. What needs a sign-in is not kept, as it would outlive the
 * sign-in. Returns what ends it.
 */
export function remember(session: Session, shelf: Shelf, isPublic: ReadonlySignal<boolean | undefined>): () => void {
  const { connection, loaded } = session;
  const keeper = new Keeper(session, shelf);
  let recalled = false;
  const recall = () => {
    if (recalled || loaded.peek() || isPublic.peek() === false) return;
    recalled = true;
    void shelf.read().then((state) => state && isPublic.peek() !== false && session.recall(state), () => undefined);
  };
  const patience = setTimeout(recall, pace.patience);
  const ofProblem = effect(() => void (connection.problem.value && recall()));
  const ofPrivacy = effect(() => {
    if (isPublic.value === false) void shelf.clear().catch(() => undefined);
  });
  const keep = () => {
    const live = connection.state.peek() === 'open' && !connection.stale.peek();
    if (live && isPublic.peek() === true) void keeper.keep().catch(() => undefined); // the browser keeps nothing, or has no room
  };
  const leaving = () => document.visibilityState === 'hidden' && keep();
  let next = setTimeout(function again() {
    keep();
    next = setTimeout(again, pace.between);
  }, pace.first);
  document.addEventListener('visibilitychange', leaving);
  return () => {
    clearTimeout(patience);
    clearTimeout(next);
    ofProblem();
    ofPrivacy();
    document.removeEventListener('visibilitychange', leaving);
  };
}

/** Writes what has changed since it wrote the last time, one lot at a time, while the page has nothing else to do. */
class Keeper {
  readonly #written = new Map<string, Counts>();
  #lots: unknown;
  #busy = false;

  constructor(private readonly session: Session, private readonly shelf: Shelf) {}

  async keep(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const { parking } = this.session;
      const asOf = Date.now();
      const lots = parking.lots.peek();
      if (lots !== this.#lots) this.#written.clear(); // it was loaded anew, or names came
      this.#lots = lots;
      for (const lot of lots) {
        const counts = parking.countsOfLot(lot.id).peek();
        if (this.#written.get(lot.id) === counts) continue;
        await quiet();
        await this.shelf.put(this.#whole(lot.id, lot));
        this.#written.set(lot.id, counts);
      }
      await this.shelf.seal(asOf, lots.map(({ id }) => id));
    } finally {
      this.#busy = false;
    }
  }

  #whole(lotId: string, lot: KeptLot['lot']): KeptLot {
    const { parking } = this.session;
    const spots = Array.from(parking.spotsOfLot(lotId), (cell) => {
      const { pulse: _, ...spot } = cell.peek();
      return spot;
    });
    return { lot, spots, zones: parking.zonesOfLot(lotId).peek() };
  }
}

/** Waits until the page is idle; where the browser does not tell, or nobody sees the page, no longer than a moment. */
const quiet = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof requestIdleCallback === 'function' && !document.hidden) requestIdleCallback(() => resolve(), { timeout: 2_000 });
    else setTimeout(resolve, 0);
  });
