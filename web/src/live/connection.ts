// The connection to /notifications: opened, watched, lost and found again, with the cursor of the last frame.
import { computed, signal } from '@preact/signals';
import { ProblemError, type Problem } from './api';
import { parseEvent, type ParkingEvent } from './wire';

export type ConnectionState = 'connecting' | 'open' | 'reconnecting' | 'offline';

export interface ConnectionOptions {
  /** Loads the present state and returns its cursor. */
  readonly load: () => Promise<string>;
  readonly receive: (event: ParkingEvent) => void;
  /** Whether the platform has events after the cursor. */
  readonly hasEventsAfter: (cursor: string) => Promise<boolean>;
  /** Called when a connection is open again. */
  readonly reopened?: () => void;
  readonly address: string;
  readonly WebSocket?: typeof WebSocket;
  readonly random?: () => number;
}

/** Delays in milliseconds. */
export const timing = {
  firstRetry: 1_000, // doubled with each failure, and multiplied by a random number from 0 to 1
  longestRetry: 10_000,
  handshake: 10_000,
  /** A connection that held for so long, or brought an event, was a good one: the next retry is quick again. */
  proven: 5_000,
  /** After so long without a frame the platform is asked whether there should have been one. The browser
   * answers the server's pings by itself, so silence tells nothing, and a dead connection looks like a quiet one. */
  silence: 30_000,
  /** How long after such an answer the frame may take. */
  grace: 3_000,
};

/** Without an opened connection after so many attempts the state is loaded again: by then the cursor may be what is refused. */
const attemptsPerCursor = 3;

const cursorExpired = 4410;

/** Why listening ended. */
interface End {
  readonly code: number;
  readonly opened: boolean;
  readonly proven: boolean;
}

export class Connection {
  readonly #open = signal(false);
  readonly #wasOpen = signal(false);
  readonly #online = signal(true);
  readonly #asOf = signal<number | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);

  #cursor: string | undefined;
  #abandon: (() => void) | undefined; // ends the present attempt or connection
  #hurry: (() => void) | undefined; // ends the present pause
  #hurried = false; // somebody was in a hurry since the present attempt began: no pause after it
  #stopped = false;

  constructor(private readonly options: ConnectionOptions) {}

  readonly state = computed<ConnectionState>(() => {
    if (this.#open.value) return 'open';
    if (!this.#online.value) return 'offline';
    return this.#wasOpen.value ? 'reconnecting' : 'connecting';
  });

  /** When what is shown was last known to be whole; while the connection is open, that is now. */
  get asOf() {
    return this.#asOf;
  }

  /** Why the state could not be loaded, until it is. */
  get problem() {
    return this.#problem;
  }

  /** Runs until stop is called. */
  async run(): Promise<void> {
    let failures = 0;
    let attempts = 0; // with this cursor
    while (!this.#stopped) {
      let wait = 0; // at least, in milliseconds
      this.#hurried = false;
      try {
        if (this.#cursor === undefined) {
          this.#cursor = await this.options.load();
          this.#problem.value = undefined;
          this.#confirm();
          attempts = 0;
        }
        const end = await this.#listen(this.#cursor);
        attempts = end.opened ? 0 : attempts + 1;
        failures = end.proven ? 0 : failures + 1;
        if (end.code === cursorExpired || attempts >= attemptsPerCursor) this.#cursor = undefined;
        if (end.code === abandoned) continue;
      } catch (error) {
        failures++;
        this.#problem.value = error instanceof ProblemError ? error.problem : { title: 'Something in this page went wrong', detail: String(error) };
        wait = error instanceof ProblemError ? error.retryAfter : 0;
      }
      if (!this.#stopped && !this.#hurried) await this.#pause(Math.max(wait, this.#backoff(failures)));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#abandon?.();
    this.#hurry?.();
  }

  /** Makes sure of the connection by opening it anew: after a sleep, or when the network changed, it may be dead without knowing. */
  check(): void {
    this.#hurried = true;
    this.#abandon?.();
    this.#hurry?.();
  }

  /** Takes over what the browser believes. It may be wrong, as a server on this machine answers without any network. */
  setOnline(online: boolean): void {
    this.#online.value = online;
    if (online) this.check();
  }

  #listen(after: string): Promise<End> {
    return new Promise((resolve) => {
      const { address, WebSocket: Socket = WebSocket } = this.options;
      const socket = new Socket(`${address}?after=${encodeURIComponent(after)}`);
      const started = Date.now();
      let opened = false;
      let heard = false;
      let timer = setTimeout(() => end(0), timing.handshake);

      const end = (code: number) => {
        clearTimeout(timer);
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        this.#abandon = undefined;
        this.#open.value = false;
        const asked = code === abandoned; // by us: no failure
        resolve({ code, opened: opened || asked, proven: heard || asked || (opened && Date.now() - started >= timing.proven) });
      };
      const expectFrame = () => {
        clearTimeout(timer);
        timer = setTimeout(async () => {
          const silent = timer;
          const doubtful = await this.#isDoubtful();
          if (timer !== silent || this.#abandon !== abandon) return; // a frame came, or it ended
          if (doubtful) timer = setTimeout(() => end(0), timing.grace);
          else {
            this.#confirm();
            expectFrame();
          }
        }, timing.silence);
      };
      const abandon = () => end(abandoned);
      this.#abandon = abandon;

      socket.onopen = () => {
        opened = true;
        this.#confirm();
        this.#open.value = true;
        expectFrame();
        if (this.#wasOpen.peek()) this.options.reopened?.();
        this.#wasOpen.value = true;
      };
      socket.onmessage = ({ data }) => {
        heard = true;
        expectFrame();
        this.#confirm();
        const event = parseEvent(data);
        if (event?.cursor !== undefined) this.#cursor = event.cursor;
        if (event) this.options.receive(event);
      };
      socket.onclose = ({ code }) => end(code);
    });
  }

  /** Asks the platform whether frames should have come. */
  async #isDoubtful(): Promise<boolean> {
    try {
      return await this.options.hasEventsAfter(this.#cursor!);
    } catch (error) {
      // No answer leaves the connection in doubt; a refusal, such as of too many requests, says nothing about it.
      const status = error instanceof ProblemError ? error.problem.status : undefined;
      return status === undefined || status === 410;
    }
  }

  #confirm(): void {
    this.#asOf.value = Date.now();
  }

  /** Exponential with full jitter, so that ten thousand pages that lost the same server do not come back together. */
  #backoff(failures: number): number {
    const { random = Math.random } = this.options;
    return random() * Math.min(timing.longestRetry, timing.firstRetry * 2 ** failures);
  }

  #pause(duration: number): Promise<void> {
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

/** The code of a connection that we gave up ourselves. */
const abandoned = -1;
