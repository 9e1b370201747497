// What joins the connection, the state and the feed: a page has one session.
import { batch, signal } from '@preact/signals';
import type { SocketConstructor } from 'parkwire-client';
import { Api, nobody, type Credentials } from './api';
import { Connection } from './connection';
import { Feed } from './feed';
import type { KeptState } from './last';
import { Parking } from './parking';
import type { ParkingEvent } from './wire';

/** How long to gather before what events do not tell is fetched, in milliseconds. A new lot comes with hundreds of events. */
const fetchDelay = 400;
const fetchPause = 5_000; // between two such fetches
const longestFrame = 250; // until events are shown though the page is not painted, as in a hidden tab
const longestQueue = 5_000; // events
/** More events than this in a second are a storm: motion would show nothing then, and cost much. */
const storm = 40;

export class Session {
  readonly parking = new Parking();
  readonly feed = new Feed();
  readonly connection: Connection;
  /** When the page began to follow. */
  readonly since = Date.now();

  #queue: ParkingEvent[] = [];
  #flushing: (() => void) | undefined;
  readonly #incomplete = new Set<string>();
  #fetching = false;
  #pace = { second: 0, now: 0, before: 0 };
  readonly #loaded = signal(false);
  #era = 0; // counts those for whom the page was begun

  constructor(readonly api: Api, address: string, { credentials = nobody, Socket }: { credentials?: Credentials; Socket?: SocketConstructor } = {}) {
    this.connection = new Connection({
      address,
      token: () => credentials.token(),
      lost: () => void credentials.check(), // a browser does not say why a stream was refused
      WebSocket: Socket,
      load: () => this.#load(),
      receive: (event) => this.#receive(event),
      reopened: () => void this.fetchLots(),
      omitted: () => this.#admitGap(),
    });
  }

  /** Whether there is a state to show. */
  get loaded() {
    return this.#loaded;
  }

  /** Shows what was kept of an earlier visit, unless there is something newer. It counts as what was known then: it may be old until the platform has answered. */
  recall({ asOf, lots }: KeptState): void {
    if (this.#loaded.peek()) return;
    batch(() => {
      this.parking.load(lots.map(({ lot }) => lot), lots.flatMap(({ spots }) => spots));
      for (const { lot, zones } of lots) this.parking.setZones(lot.id, zones);
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
      this.#incomplete.clear();
      this.parking.load([], []);
      this.feed.clear();
    });
    this.connection.restart();
  }

  /** Fetches the zones of a lot. Without them the zones' ids stand for their names, so a failure is no matter. */
  async fetchZones(lotId: string): Promise<void> {
    await this.api.zones(lotId).then((zones) => this.parking.setZones(lotId, zones), () => undefined);
  }

  /** Lots themselves change without an event. */
  async fetchLots(): Promise<void> {
    await this.api.lots().then((lots) => this.parking.merge(lots, []), () => undefined);
  }

  async #load(): Promise<string> {
    const era = this.#era;
    const { lots, spots, cursor } = await this.api.snapshot();
    if (era !== this.#era) return this.#load(); // it is partly what somebody else may see
    this.flush();
    batch(() => {
      this.parking.load(lots, spots);
      if (this.#loaded.value) this.#admitGap();
      this.#loaded.value = true;
    });
    return cursor;
  }

  #admitGap(): void {
    this.feed.addGap(this.connection.asOf.peek() ?? Date.now(), Date.now());
  }

  /** Events are shown once a frame, however many come. */
  #receive(event: ParkingEvent): void {
    this.#queue.push(event);
    if (this.#queue.length >= longestQueue) this.flush();
    this.#flushing ??= soon(() => this.flush());
  }

  /** Applies what has come. */
  flush(): void {
    this.#flushing?.();
    this.#flushing = undefined;
    if (this.#queue.length === 0) return;
    const events = this.#queue;
    this.#queue = [];
    batch(() => {
      const motion = this.#isCalm(events.length);
      const { news, incomplete } = this.parking.apply(events, motion);
      this.feed.add(news, Date.now(), motion);
      for (const lotId of incomplete) this.#incomplete.add(lotId);
    });
    if (this.#incomplete.size > 0) void this.#complete();
  }

  /** Counts events, by the second. */
  #isCalm(events: number): boolean {
    const second = Math.floor(Date.now() / 1000);
    const { second: last, now, before } = this.#pace;
    this.#pace = second === last ? { second, now: now + events, before } : { second, now: events, before: second === last + 1 ? now : 0 };
    return Math.max(this.#pace.now, this.#pace.before) <= storm;
  }

  /** Fetches the lots and spots of which events do not tell everything. */
  async #complete(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    for (let delay = fetchDelay; this.#incomplete.size > 0; delay = fetchPause) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const lotIds = [...this.#incomplete];
      this.#incomplete.clear();
      try {
        const [lots, ...spots] = await Promise.all([this.api.lots(), ...lotIds.map((lotId) => this.api.spots(lotId))]);
        this.parking.merge(lots, spots.flat());
      } catch {
        for (const lotId of lotIds) this.#incomplete.add(lotId); // again after the pause
      }
    }
    this.#fetching = false;
  }
}

/** Runs task at the next frame, or soon where no frames are painted. Returns what cancels it. */
function soon(task: () => void): () => void {
  const frame = requestAnimationFrame(task);
  const timer = setTimeout(task, longestFrame);
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
