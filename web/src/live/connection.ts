// What the page follows: the state is loaded, then the client of parkwire.v1 goes on from its cursor; where that is lost, it is loaded again.
import { batch, computed, signal } from '@preact/signals';
import { Parkwire, type SocketConstructor, type TokenProvider } from 'parkwire-client';
import { ProblemError, problemOf, type Problem } from './http';
import { parseEvent, type ParkingEvent } from './wire';

export type ConnectionState = 'connecting' | 'open' | 'reconnecting' | 'offline';

export interface ConnectionOptions {
  /** Loads the present state and returns its cursor. */
  readonly load: () => Promise<string>;
  readonly receive: (event: ParkingEvent) => void;
  /** Called when a connection is open again. */
  readonly reopened?: () => void;
  /** Called when changes were left out, because this page was too slow to take them all. */
  readonly omitted?: () => void;
  /** Called when a connection was lost, or none came about. */
  readonly lost?: () => void;
  readonly address: string;
  readonly token?: TokenProvider | undefined;
  readonly WebSocket?: SocketConstructor | undefined;
  readonly random?: () => number;
}

/** The pause before the state is loaded again, in milliseconds: a random part of a time that doubles with each failure. */
export const timing = { firstRetry: 1_000, longestRetry: 10_000 };

/** Who has heard nothing for so long, in milliseconds, loads the state instead of everything that happened meanwhile: after a sleep that is quicker. */
const farBehind = 300_000;

export class Connection {
  readonly #client: Parkwire;
  readonly #open = signal(false);
  readonly #wasOpen = signal(false);
  readonly #offline = signal(false);
  readonly #stale = signal(false);
  readonly #asOf = signal<number | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);
  #following = false;
  #lostAsOf: number | undefined; // until when it was whole when it was lost last
  #atOnce = false; // whether the state is to be loaded without a pause
  #conflated = ''; // the cursor from which changes were left out
  #hurry: (() => void) | undefined; // ends the present pause
  #leave: (() => void) | undefined; // ends the following

  constructor(private readonly options: ConnectionOptions) {
    const client = (this.#client = new Parkwire(options.address, { token: options.token, WebSocket: options.WebSocket, random: options.random }));
    client.on('state', () => {
      if (client.state === 'open' && this.#wasOpen.peek()) options.reopened?.();
      this.#show();
    });
    client.on('lost', () => {
      options.lost?.();
      this.#lookBack();
    });
    client.on('stale', () => this.#show());
    client.on('foreign', (message) => this.#receive(message));
    client.on('conflated', ({ after }) => {
      this.#show(); // what was known until now
      if (after !== this.#conflated) options.omitted?.();
      this.#conflated = after;
    });
  }

  readonly state = computed<ConnectionState>(() => {
    if (this.#open.value) return 'open';
    if (this.#offline.value) return 'offline';
    return this.#wasOpen.value ? 'reconnecting' : 'connecting';
  });

  /** Whether the event log is away, so that nothing new can come though the connection is open. */
  get stale() {
    return this.#stale;
  }

  /** Until when what is shown is known to be whole, as long as it may be old: while it is followed, that is now. */
  get asOf() {
    return this.#asOf;
  }

  /** Why the state could not be loaded or followed, until it is. */
  get problem() {
    return this.#problem;
  }

  /** What is shown is from an earlier visit, until when it was whole. */
  recall(asOf: number): void {
    this.#asOf.value ??= asOf;
  }

  /** Runs until stop is called. */
  async run(): Promise<void> {
    for (let failures = 0; this.#client.state !== 'closed';) {
      let wait = 0; // at least, in milliseconds
      try {
        const cursor = await this.options.load();
        failures = 0;
        this.#problem.value = undefined;
        this.#asOf.value = Date.now();
        await this.#follow(cursor);
        if (this.#takeAtOnce()) continue;
      } catch (error) {
        failures++;
        this.#problem.value = problemOf(error);
        wait = error instanceof ProblemError ? error.retryAfter : 0;
      }
      await this.#pause(Math.max(wait, this.#backoff(failures)));
    }
  }

  stop(): void {
    this.#client.close();
    this.#leave?.();
    this.#hurry?.();
  }

  /** Loads the state again and follows on a new connection, as for somebody else. */
  restart(): void {
    this.#wasOpen.value = false;
    this.#atOnce = this.#following;
    this.#client.reconnect();
    this.#leave?.();
    this.#hurry?.();
  }

  /** Makes sure of the connection, and waits no longer for the next attempt. */
  check(): void {
    this.#client.check();
    this.#hurry?.();
  }

  /** Opens the connection anew, as after a sleep: it may be dead without knowing. */
  reconnect(): void {
    this.#client.reconnect();
    this.#hurry?.();
  }

  /** Takes over what the browser believes. It may be wrong, as a server on this machine answers without any network. */
  setOnline(online: boolean): void {
    this.#client.setOnline(online);
    this.#show();
    if (online) this.#hurry?.();
  }

  /** Follows until the platform cannot go on from there. */
  #follow(after: string): Promise<void> {
    if (this.#client.state === 'closed') return Promise.resolve();
    return new Promise<void>((resolve, reject) => {
      const subscription = this.#client.subscribe({ after }, (message) => {
        if (message.type === 'events') message.events.forEach((event) => this.#receive(event));
        if (message.type === 'reset') leave();
        if (message.type === 'error') reject(new ProblemError({ title: 'Parkwire sends no changes', detail: message.error.message, cause: 'noChanges' }));
      });
      const leave = (this.#leave = () => {
        subscription.unsubscribe();
        resolve();
      });
      this.#following = true;
      this.#show();
    }).finally(() => {
      this.#show(); // what was known until now
      this.#following = false;
      this.#show();
    });
  }

  /** Finds out whether it was a sleep that ended the connection, and not the platform: then the silence was there before the end. */
  #lookBack(): void {
    const { asOf } = this.#client;
    const slept = asOf !== undefined && asOf !== this.#lostAsOf && Date.now() - asOf > farBehind;
    this.#lostAsOf = asOf;
    if (!slept || !this.#following) return;
    this.#atOnce = true;
    this.#leave?.();
  }

  #takeAtOnce(): boolean {
    const atOnce = this.#atOnce;
    this.#atOnce = false;
    return atOnce;
  }

  #receive(message: unknown): void {
    const event = this.#following ? parseEvent(message) : undefined;
    if (event) this.options.receive(event);
  }

  #show(): void {
    const { state, staleSince, asOf } = this.#client;
    batch(() => {
      if (this.#following) this.#asOf.value = staleSince ?? Math.max(this.#asOf.peek() ?? 0, asOf ?? 0);
      this.#open.value = state === 'open' && this.#following;
      this.#stale.value = this.#open.peek() && staleSince !== undefined;
      this.#offline.value = state === 'offline';
      if (this.#open.peek()) this.#wasOpen.value = true;
    });
  }

  /** With full jitter, so that ten thousand pages that lost their place do not load at once. */
  #backoff(failures: number): number {
    const { random = Math.random } = this.options;
    return random() * Math.min(timing.longestRetry, timing.firstRetry * 2 ** failures);
  }

  #pause(duration: number): Promise<void> {
    if (this.#client.state === 'closed') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, duration);
      this.#hurry = done;
      const self = this;
      function done() {
        clearTimeout(timer);
        self.#hurry = undefined;
        resolve();
      }
    });
  }
}
