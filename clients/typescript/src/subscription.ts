// One subscription: where it stands, what it has seen, and how its snapshot and its stream join.
import { filterOf, matcher, type Filter, type ParkingEvent, type ParkwireError, type ServerMessage } from './wire.js';

/** What is subscribed to. */
export interface Request extends Filter {
  /** Begin behind this cursor, of an earlier subscription or of `GET /api/v1/spots`. Without: from now on. */
  readonly after?: string | undefined;
  /** Begin with the present state of every spot; with `after`, only where the log does not reach back to it any more. */
  readonly snapshot?: boolean | undefined;
}

/** What a subscription's listener is given. */
export type SubscriptionMessage =
  /** The newest event of every spot that matches: it replaces everything that was known. Every later change follows. */
  | { readonly type: 'snapshot'; readonly events: readonly ParkingEvent[]; readonly cursor: string }
  /** Changes, in order for each spot, each once; at least one. Keep `cursor` when they are processed, to resume behind them. */
  | { readonly type: 'events'; readonly events: readonly ParkingEvent[]; readonly cursor: string }
  /**
   * Where the subscription stood is not in the log any more (`cursor-expired`), or it is another log (`other-log`, `invalid-cursor`): what was
   * known may be wrong. With `snapshot: true` a snapshot follows, without it what happens from now on.
   */
  | { readonly type: 'reset'; readonly reason: string }
  /** The server refused it (`invalid-filter`, `forbidden` …), and it has ended. */
  | { readonly type: 'error'; readonly error: ParkwireError };

export type SubscriptionListener = (message: SubscriptionMessage) => void;

export interface Subscription {
  /** Where it stands: everything that matches was given to the listener up to here. Undefined until that is known. */
  readonly cursor: string | undefined;
  /** False once unsubscribed, refused or closed. */
  readonly active: boolean;
  /** Ends it: the listener hears nothing more. May be called again. */
  unsubscribe(): void;
}

/** @internal */
export class Reader implements Subscription {
  cursor: string | undefined;
  active = true;
  readonly #filter: Filter;
  readonly #matches: (event: ParkingEvent) => boolean;
  readonly #wantsSnapshot: boolean;
  /** The newest version of each spot that the listener has: what is not newer is a repetition. */
  #versions = new Map<string, number>();
  #known = false; // the server has taken it, on this connection
  #joining = false; // the snapshot is not complete
  #parts: ParkingEvent[] = [];

  constructor(readonly id: string, { after, snapshot, ...filter }: Request, private readonly listener: SubscriptionListener, readonly unsubscribe: () => void) {
    this.#filter = filterOf(filter);
    this.#matches = matcher(this.#filter);
    this.#wantsSnapshot = snapshot ?? false;
    this.cursor = after;
  }

  /** What to say to the server on a new connection: it goes on where it stands. */
  ask(): object {
    this.#known = false;
    this.#begin(this.#wantsSnapshot && this.cursor === undefined);
    return {
      type: 'Subscribe', id: this.id, ...this.#filter,
      ...(this.cursor !== undefined && { after: this.cursor }), ...(this.#wantsSnapshot && { snapshot: true }),
    };
  }

  subscribed(cursor: string): void {
    this.#known = true;
    // One with a cursor goes on from there; the server's own would skip what a Reset that is on its way wants told.
    if (!this.#joining) this.cursor ??= cursor;
  }

  reset(reason: string): void {
    this.#known = true;
    this.#forget(reason, true);
  }

  snapshot({ events, complete, cursor }: ServerMessage & { type: 'Snapshot' }): void {
    this.#known = this.#joining = true;
    for (const event of events) this.#parts.push(event);
    if (!complete || cursor === undefined) return;
    const parts = this.#parts;
    this.#versions = new Map(parts.flatMap(({ spotId, version }) => (version === undefined ? [] : [[spotId, version]])));
    this.cursor = cursor;
    this.#begin(false);
    this.tell({ type: 'snapshot', events: parts, cursor });
  }

  /** Gives the listener what concerns it and is new. All that matches up to the cursor has come. */
  events(events: readonly ParkingEvent[], cursor: string): void {
    // What comes for others before the server has taken it, or before its snapshot is complete, comes again for it.
    if (!this.#known || this.#joining) return;
    const news = events.filter((event) => this.#matches(event) && this.#isNew(event));
    this.cursor = cursor;
    if (news.length > 0) this.tell({ type: 'events', events: news, cursor });
  }

  /** Its cursor is worth nothing, and no snapshot comes by itself: it is to be asked for anew. */
  lose(reason: string): void {
    this.#forget(reason, this.#wantsSnapshot);
  }

  tell(message: SubscriptionMessage): void {
    if (this.active) safely(this.listener, message);
  }

  #forget(reason: string, joining: boolean): void {
    this.cursor = undefined;
    this.#versions.clear();
    this.#begin(joining);
    this.tell({ type: 'reset', reason });
  }

  #begin(joining: boolean): void {
    this.#joining = joining;
    this.#parts = [];
  }

  #isNew({ spotId, version }: ParkingEvent): boolean {
    if (version === undefined) return true;
    if (version <= (this.#versions.get(spotId) ?? 0)) return false;
    this.#versions.set(spotId, version);
    return true;
  }
}

/** Calls a listener. What it throws becomes an uncaught error, and disturbs nobody else. */
export function safely<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
