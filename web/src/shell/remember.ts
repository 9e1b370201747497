// Keeps the last state while the page is live, and shows it when the page is opened and the platform cannot be reached.
import { effect, type ReadonlySignal } from '@preact/signals';
import type { KeptLot, Shelf } from '../live/last';
import type { Session } from '../live/session';
import type { Counts } from '../live/tally';
import type { Lot } from '../live/wire';

/** When it is kept, and how long the platform is waited for before what was kept is shown, in milliseconds. */
export const pace = { first: 5_000, between: 60_000, patience: 2_500 };

/**
 * isPublic tells whether everybody may see what is shown: undefined, not known yet. What needs a sign-in is not kept, as it would outlive the
 * sign-in. isWhole tells whether it is all there is: what is shown to somebody who sees some lots alone does not take the place of what is kept.
 * Returns what ends it.
 */
export function remember(session: Session, shelf: Shelf, isPublic: ReadonlySignal<boolean | undefined>, isWhole: ReadonlySignal<boolean>): () => void {
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
    if (isPublic.value !== false) return;
    keeper.forget();
    void shelf.clear().catch(() => undefined);
  });
  const keep = () => {
    const live = connection.state.peek() === 'open' && !connection.stale.peek();
    if (live && loaded.peek() && isPublic.peek() === true && isWhole.peek()) void keeper.keep().catch(() => undefined); // the browser keeps nothing, or has no room
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
    keeper.end();
    document.removeEventListener('visibilitychange', leaving);
  };
}

/** Writes what has changed since it wrote the last time, one lot at a time, while the page has nothing else to do. */
class Keeper {
  readonly #written = new Map<string, { readonly lot: Lot; readonly counts: Counts; readonly zones: KeptLot['zones'] }>();
  #busy = false;
  /** Ends it. */
  readonly end: () => void;

  constructor(private readonly session: Session, private readonly shelf: Shelf) {
    this.end = session.parking.watch((changed) => {
      for (const cell of changed) this.#written.delete(cell.peek().lotId); // counts tell nothing of names
    });
  }

  /** What was written is there no more. */
  forget(): void {
    this.#written.clear();
  }

  async keep(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const { parking, era } = this.session;
      const asOf = Date.now();
      const lots = parking.lots.peek();
      for (const lot of lots) {
        const counts = parking.countsOfLot(lot.id).peek();
        const zones = parking.zonesOfLot(lot.id).peek();
        const before = this.#written.get(lot.id);
        if (before?.lot === lot && before.counts === counts && before.zones === zones) continue;
        await quiet();
        if (era !== this.session.era) return; // somebody else may see less
        this.#written.set(lot.id, { lot, counts, zones }); // what changes from now on takes it away
        await this.shelf.put({ lot, spots: parking.toldOfLot(lot.id), zones }).catch((error: unknown) => {
          this.#written.delete(lot.id);
          throw error;
        });
      }
      if (era === this.session.era) await this.shelf.seal(asOf, lots.map(({ id }) => id));
    } finally {
      this.#busy = false;
    }
  }
}

/** Waits until the page is idle; where the browser does not tell, or nobody sees the page, no longer than a moment. */
const quiet = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof requestIdleCallback === 'function' && !document.hidden) requestIdleCallback(() => resolve(), { timeout: 2_000 });
    else setTimeout(resolve, 0);
  });
