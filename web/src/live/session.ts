// What joins the connection, the state and the feed: a page has one session.
import { batch, signal } from '@preact/signals';
import type { SocketConstructor } from 'parkwire-client';
import { Api, nobody, type Credentials } from './api';
import { Connection } from './connection';
import { Described } from './described';
import { Feed } from './feed';
import type { KeptState } from './last';
import { Parking } from './parking';
import { turn } from './turn';
import type { ParkingEvent, Spot } from './wire';

/** At least, in milliseconds, from changes that are shown to those that come later: nobody sees more, and each time costs style, layout and paint. */
const between = 100;
const longestFrame = 250; // milliseconds until events are shown though the page is not painted, as in a hidden tab
const longestQueue = 5_000; // events
/**
 * So many events are shown in one go, and the next at the next frame: a view may have something to draw for each, and a thousand would hold the page for
 * longer than one notices. Where more wait than would be shown in slices frames, as many more.
 */
const slice = 200; // events
const slices = 8;
/** So many spots of the first state are taken over in one go. */
const portion = 2_000;
/** More events than this in a second are a storm: motion would show nothing then, and cost much. */
const storm = 40;

export class Session {
  readonly parking = new Parking();
  readonly feed = new Feed();
  readonly described: Described;
  readonly connection: Connection;
  /** When the page began to follow. */
  readonly since = Date.now();

  #queue: ParkingEvent[] = [];
  #flushing: (() => void) | undefined;
  #shownAt = -Infinity;
  #pace = { second: 0, now: 0, before: 0 };
  readonly #loaded = signal(false);
  #era = 0; // counts those for whom the page was begun

  constructor(readonly api: Api, address: string, { credentials = nobody, Socket }: { credentials?: Credentials; Socket?: SocketConstructor } = {}) {
    this.described = new Described(api, this.parking);
    this.connection = new Connection({
      address,
      token: () => credentials.token(),
      lost: () => void credentials.check(), // a browser does not say why a stream was refused
      WebSocket: Socket,
      load: () => this.#load(),
      receive: (event) => this.#receive(event),
      reopened: () => this.described.reopened(),
      omitted: () => {
        this.#admitGap();
        this.described.completeAll();
      },
    });
  }

  /** Counts those for whom the page was begun. */
  get era(): number {
    return this.#era;
  }

  /** Whether there is a state to show. */
  get loaded() {
    return this.#loaded;
  }

  /** Shows what was kept of an earlier visit, unless there is something newer. It counts as what was known then: it may be old until the platform has answered. */
  recall({ asOf, lots }: KeptState): void {
    if (this.#loaded.peek()) return;
    batch(() => {
      this.parking.load(lots.map(({ lot }) => lot), lots.flatMap(({ spots }) => spots), 0);
      for (const { lot, zones } of lots) this.parking.setZones(lot.id, zones, 0);
      this.connection.recall(asOf);
      this.#loaded.value = true;
    });
  }

  /** Forgets everything, and begins again as for somebody else. */
  restart(): void {
    this.#era++;
    this.flush();
    batch(() => {
      this.#loaded.value = false;
      this.described.forget();
      this.parking.forget();
      this.feed.clear();
    });
    this.connection.restart();
  }

  async #load(): Promise<string> {
    const era = this.#era;
    const asked = this.parking.askLots();
    const { lots, spots, cursor } = await this.api.snapshot();
    if (era === this.#era) await this.#prepare(spots);
    if (era !== this.#era) return this.#load(); // it is partly what somebody else may see
    this.flush();
    batch(() => {
      this.described.loaded(this.parking.load(lots, spots, asked));
      if (this.#loaded.value) this.#admitGap();
      this.#loaded.value = true;
    });
    return cursor;
  }

  /** Takes the spots over in turns, while there is nothing to be seen yet that would be half of it: at once they would hold up the page. */
  async #prepare(spots: readonly Spot[]): Promise<void> {
    const era = this.#era;
    for (let from = 0; from < spots.length && !this.#loaded.peek() && era === this.#era; from += portion) {
      this.parking.prepare(spots.slice(from, from + portion));
      await turn();
    }
  }

  #admitGap(): void {
    this.feed.addGap(this.connection.asOf.peek() ?? Date.now(), Date.now());
  }

  /** Events are shown at the next frame, and together where many come. */
  #receive(event: ParkingEvent): void {
    this.#queue.push(event);
    if (this.#queue.length > longestQueue) this.#apply(longestQueue / slices); // there are no frames: they must not gather for ever
    this.#flushing ??= soon(() => this.#go(), this.#shownAt + between - performance.now());
  }

  /** Applies as much of what has come as one frame has time for; all of it, where nobody sees the page. */
  #go(): void {
    this.#stop();
    this.#shownAt = performance.now();
    if (typeof document !== 'undefined' && document.hidden) return this.flush();
    this.#apply(Math.max(slice, Math.ceil(this.#queue.length / slices)));
    if (this.#queue.length > 0) this.#flushing = soon(() => this.#go());
  }

  /** Applies all that has come. */
  flush(): void {
    this.#stop();
    this.#apply(this.#queue.length);
  }

  #stop(): void {
    this.#flushing?.();
    this.#flushing = undefined;
  }

  /** Applies the first events of those that have come. Spots, counts and feed are told once, and agree. */
  #apply(count: number): void {
    const events = this.#queue.splice(0, count);
    if (events.length === 0) return;
    batch(() => {
      const motion = this.#isCalm(events.length);
      const { news, incomplete } = this.parking.apply(events, motion);
      this.feed.add(news, Date.now(), motion);
      this.described.complete(incomplete);
    });
  }

  /** Counts events, by the second. */
  #isCalm(events: number): boolean {
    const second = Math.floor(Date.now() / 1000);
    const { second: last, now, before } = this.#pace;
    this.#pace = second === last ? { second, now: now + events, before } : { second, now: events, before: second === last + 1 ? now : 0 };
    return Math.max(this.#pace.now, this.#pace.before) <= storm;
  }
}

/** Runs task at the next frame after so many milliseconds, or soon where no frames are painted. Returns what cancels it. */
function soon(task: () => void, wait = 0): () => void {
  if (wait > 0) {
    let cancel = () => clearTimeout(timer);
    const timer = setTimeout(() => (cancel = soon(task)), wait);
    return () => cancel();
  }
  const frame = requestAnimationFrame(task);
  const timer = setTimeout(task, longestFrame);
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
