// Somebody who reads the feed: through a sieve, and at their own pace. While it is held, what they read stays as it is, and what comes gathers.
import { batch, effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import type { Feed, FeedItem } from '../live/feed';
import type { Sieve } from './filter';

/** How many lines are kept for the one who reads. Lines that are rare stay, though the feed has long forgotten them. */
export const readerLength = 1_000;

export class Reader {
  readonly #lines = signal<readonly FeedItem[]>([]);
  readonly #waiting = signal(0);
  #late: readonly FeedItem[] = []; // what has come while it was held, the newest first
  #seen = 0; // the key of the last line that was looked at

  constructor(private readonly feed: Feed, private readonly sieve: ReadonlySignal<Sieve>, private readonly held: ReadonlySignal<boolean>, private readonly length = readerLength) {
    this.#begin(sieve.peek());
  }

  /** The lines to show, the newest first. */
  get lines(): ReadonlySignal<readonly FeedItem[]> {
    return this.#lines;
  }

  /** How many have come since it was held. */
  get waiting(): ReadonlySignal<number> {
    return this.#waiting;
  }

  /** Follows the feed. Returns what ends it. */
  follow(): () => void {
    const ofSieve = effect(() => {
      this.feed.era.value;
      const sieve = this.sieve.value;
      untracked(() => this.#begin(sieve));
    });
    const ofNews = effect(() => {
      this.feed.newest.value;
      const held = this.held.value;
      untracked(() => this.#go(held));
    });
    return () => {
      ofSieve();
      ofNews();
    };
  }

  /** Looks through all that the feed has. */
  #begin({ lot, takes }: Sieve): void {
    this.#seen = this.feed.newest.peek();
    this.#late = [];
    batch(() => {
      this.#lines.value = this.feed.past(lot).filter(takes).slice(0, this.length);
      this.#waiting.value = 0;
    });
  }

  /** Looks through what has come. */
  #go(held: boolean): void {
    const news = this.feed.after(this.#seen).filter(this.sieve.peek().takes).reverse();
    this.#seen = this.feed.newest.peek();
    if (news.length > 0) this.#late = [...news, ...this.#late].slice(0, this.length);
    batch(() => {
      if (held) this.#waiting.value += news.length;
      else if (this.#late.length > 0) {
        this.#lines.value = [...this.#late, ...this.#lines.peek()].slice(0, this.length);
        this.#late = [];
        this.#waiting.value = 0;
      }
    });
  }
}
