import { signal, type ReadonlySignal } from '@preact/signals';
import type { Outcome } from './parking';
import type { ParkingEvent } from './wire';

/** A line of the feed: a change, with when it happened and when it came here, or the admission that changes were missed. */
export type FeedItem =
  | { readonly key: number; readonly kind: 'change'; readonly event: ParkingEvent; readonly name: string; readonly lotId: string | undefined; readonly at: number; readonly came: number; readonly motion: boolean }
  | { readonly key: number; readonly kind: 'gap'; readonly since: number; readonly at: number };

/** How many lines are kept of all lots together, and of each at least: of a quiet one they are older. */
export const feedLength = 5_000;
export const lotLength = 200;

/** What happened since the page was opened. Who looks through it follows `newest`, and takes what has come after the line that it saw last. */
export class Feed {
  readonly #all: FeedItem[] = []; // the oldest first, as are those of a lot
  readonly #byLot = new Map<string, FeedItem[]>();
  readonly #newest = signal(0);
  readonly #era = signal(0);

  /** The key of the newest line. */
  get newest(): ReadonlySignal<number> {
    return this.#newest;
  }

  /** How often everything was forgotten. */
  get era(): ReadonlySignal<number> {
    return this.#era;
  }

  /** What is kept, of one lot or of all, the newest first. */
  past(lotId?: string): FeedItem[] {
    if (lotId === undefined) return [...this.#all].reverse();
    const begin = this.#all[0]?.key ?? Infinity;
    const before = (this.#byLot.get(lotId) ?? []).filter(({ key }) => key < begin);
    const since = this.#all.filter((item) => item.kind === 'gap' || item.lotId === lotId);
    return [...before, ...since].reverse();
  }

  /** What came after the line of this key, the oldest first. */
  after(key: number): readonly FeedItem[] {
    let i = this.#all.length;
    while (i > 0 && this.#all[i - 1]!.key > key) i--;
    return this.#all.slice(i);
  }

  add(news: Outcome['news'], now: number, motion = true): void {
    let key = this.#newest.peek();
    for (const { event, spot } of news) {
      const lotId = event.lotId ?? spot?.lotId;
      const at = Date.parse(event.timestamp) || now;
      const item: FeedItem = { key: ++key, kind: 'change', event, name: spot?.name ?? event.spotId, lotId, at, came: now, motion };
      this.#all.push(item);
      if (lotId !== undefined) this.#lot(lotId).push(item);
    }
    this.#publish(key);
  }

  /** Says that changes between since and now are not in the feed. */
  addGap(since: number, now: number): void {
    const gap: FeedItem = { key: this.#newest.peek() + 1, kind: 'gap', since, at: now };
    for (const list of [this.#all, ...this.#byLot.values()]) list.push(gap);
    this.#publish(gap.key);
  }

  clear(): void {
    this.#all.length = 0;
    this.#byLot.clear();
    this.#era.value++;
  }

  #publish(newest: number): void {
    trim(this.#all, feedLength);
    for (const list of this.#byLot.values()) trim(list, lotLength);
    this.#newest.value = newest;
  }

  #lot(lotId: string): FeedItem[] {
    let list = this.#byLot.get(lotId);
    if (!list) this.#byLot.set(lotId, (list = []));
    return list;
  }
}

function trim(list: FeedItem[], length: number): void {
  if (list.length > length) list.splice(0, list.length - length);
}
