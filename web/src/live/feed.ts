import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Outcome } from './parking';
import type { ParkingEvent } from './wire';

/** A line of the feed: a change, or the admission that changes were missed. */
export type FeedItem =
  | { readonly key: number; readonly kind: 'change'; readonly event: ParkingEvent; readonly name: string; readonly lotId: string | undefined; readonly at: number; readonly motion: boolean }
  | { readonly key: number; readonly kind: 'gap'; readonly since: number; readonly at: number };

/** How many lines are kept, of all lots and of each. */
export const feedLength = 200;

/** What happened, the newest first. */
export class Feed {
  readonly #all = signal<readonly FeedItem[]>([]);
  readonly #byLot = new Map<string, Signal<readonly FeedItem[]>>();
  #keys = 0;

  /** The lines of one lot, or of all. */
  items(lotId?: string): ReadonlySignal<readonly FeedItem[]> {
    return lotId === undefined ? this.#all : this.#lot(lotId);
  }

  add(news: Outcome['news'], now: number, motion = true): void {
    const byLot = new Map<string, FeedItem[]>();
    const items = news.map(({ event, spot }): FeedItem => {
      const lotId = event.lotId ?? spot?.lotId;
      const at = Date.parse(event.timestamp) || now;
      const item: FeedItem = { key: ++this.#keys, kind: 'change', event, name: spot?.name ?? event.spotId, lotId, at, motion };
      if (lotId !== undefined) {
        const its = byLot.get(lotId);
        if (its) its.push(item);
        else byLot.set(lotId, [item]);
      }
      return item;
    });
    prepend(this.#all, items);
    for (const [lotId, its] of byLot) prepend(this.#lot(lotId), its);
  }

  /** Says that changes between since and now are not in the feed. */
  addGap(since: number, now: number): void {
    const gap: FeedItem = { key: ++this.#keys, kind: 'gap', since, at: now };
    for (const list of [this.#all, ...this.#byLot.values()]) prepend(list, [gap]);
  }

  clear(): void {
    for (const list of [this.#all, ...this.#byLot.values()]) list.value = [];
  }

  #lot(lotId: string): Signal<readonly FeedItem[]> {
    let list = this.#byLot.get(lotId);
    if (!list) this.#byLot.set(lotId, (list = signal<readonly FeedItem[]>([])));
    return list;
  }
}

function prepend(list: Signal<readonly FeedItem[]>, items: readonly FeedItem[]): void {
  if (items.length > 0) list.value = [...items.slice(-feedLength).reverse(), ...list.peek()].slice(0, feedLength);
}
