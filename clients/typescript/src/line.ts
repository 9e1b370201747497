// The line to the server: opened, watched, lost and opened again, at one address after the other.
import { parse, ParkwireError, protocol, type ServerMessage } from './wire.js';

/** What is needed of a WebSocket: those of browsers, of Node, of `ws` and of `undici` have it. */
export interface Socket {
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
  /** Only `ws` has it: ends a dead connection without waiting for its goodbye. */
  terminate?(): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** `undefined`: there is no token now, and the connection is opened, or goes on, without one. */
export type TokenProvider = string | (() => string | undefined | Promise<string | undefined>);

/** How a connection ended, or an attempt to open one. */
export interface Lost {
  /** The close code; 1006 where there was none. */
  readonly code: number;
  readonly reason: string;
  /** Milliseconds until the next attempt. */
  readonly retryMs: number;
}

/** All in milliseconds. */
export const timing = {
  firstRetry: 1_000, // doubled with each failure, and multiplied by a random number from 0 to 1
  longestRetry: 15_000,
  longestHint: 300_000, // what a server asks for is obeyed up to this
  handshake: 10_000, // until Welcome
  token: 30_000, // for the provider
  tokenRetry: 5_000,
  /** A connection that held for so long was a good one: the next retry is quick again. */
  proven: 5_000,
  heartbeat: 10_000, // where the server does not say
  heartbeats: 3, // so many may stay out
};

export interface LineOptions {
  readonly addresses: readonly string[];
  readonly token: TokenProvider | undefined;
  readonly WebSocket: SocketConstructor;
  readonly random: () => number;
  /** A message came. Welcome is the first. */
  readonly receive: (message: ServerMessage) => void;
  readonly lost: (lost: Lost) => void;
  readonly failed: (error: ParkwireError) => void;
}

export class Line {
  #socket: Socket | undefined;
  #turn: number; // whose address is next
  #attempt = 0; // what an earlier attempt still waits for is nobody's any more
  #timer: Timer; // one at a time: the pause, the handshake, the watch
  #tokenTimer: Timer;
  #waiting = false;
  #failures = 0;
  #hint: number | undefined;
  #welcomed = 0;
  #shown: string | undefined; // the token that this connection has
  #heard = 0;
  #heartbeat = 0;

  constructor(private readonly options: LineOptions) {
    this.#turn = Math.floor(options.random() * options.addresses.length) % options.addresses.length;
  }

  /** Opens a connection, instead of the one that is there. */
  open(): void {
    const wasOpen = this.#welcomed > 0;
    this.#drop();
    const attempt = this.#attempt;
    if (wasOpen) this.options.lost({ code: 1000, reason: 'opened anew', retryMs: 0 });
    if (attempt !== this.#attempt) return; // a listener closed it
    const { token } = this.options;
    if (typeof token !== 'function') return this.#dial(token);
    const fail = (cause: unknown) => {
      if (attempt !== this.#attempt) return;
      this.options.failed(new ParkwireError('token', 'The token provider failed.', undefined, cause));
      if (attempt === this.#attempt) this.#lose(1006, '');
    };
    this.#arm(timing.token, () => fail(new Error(`no token after ${timing.token} ms`)));
    call(token).then((value) => attempt === this.#attempt && this.#dial(value), fail);
  }

  /** Makes sure of it: what was silent for longer than a heartbeat is opened anew, and nobody waits for the next attempt. */
  check(): void {
    const silent = this.#welcomed > 0 && Date.now() - this.#heard > this.#heartbeat * 1.5;
    if (this.#waiting || silent) this.open();
  }

  close(): void {
    this.#drop();
  }

  send(message: object): void {
    try {
      this.#socket?.send(JSON.stringify(message));
    } catch {
      // It is closing: what was said is said again on the next connection.
    }
  }

  #dial(token: string | undefined): void {
    this.#shown = token;
    const { addresses, WebSocket } = this.options;
    const url = new URL(addresses[this.#turn]!);
    this.#turn = (this.#turn + 1) % addresses.length;
    if (token !== undefined) url.searchParams.set('access_token', token);
    this.#arm(timing.handshake, () => this.#lose(1006, 'no Welcome', true));
    try {
      const socket = (this.#socket = new WebSocket(url.href, [protocol]));
      const mine = () => socket === this.#socket;
      socket.onmessage = ({ data }) => mine() && this.#hear(data);
      socket.onclose = ({ code, reason }) => mine() && this.#lose(code ?? 1006, String(reason ?? ''));
      // Stays when the socket is given up: "ws" throws what nobody listens to.
      socket.onerror = (event) => mine() && this.#report(event?.message, event?.error);
    } catch (error) {
      const attempt = this.#attempt;
      this.#report(String(error), error);
      if (attempt === this.#attempt) this.#lose(1006, '');
    }
  }

  #report(message: unknown, cause: unknown): void {
    this.options.failed(new ParkwireError('socket', String(message || 'The WebSocket failed.'), undefined, cause));
  }

  #hear(data: unknown): void {
    this.#heard = Date.now();
    const message = parse(data);
    if (!message) return;
    if (message.type === 'Welcome') {
      this.#welcomed = this.#heard;
      this.#heartbeat = message.heartbeatMs || timing.heartbeat;
      this.#watch(this.#heartbeat * timing.heartbeats);
    } else if (message.type === 'Retry') {
      this.#hint = message.afterMs;
    } else if (message.type === 'Error' && message.code === 'token-expiring') {
      return this.#refresh();
    } else if (message.type === 'Error' && message.code === 'unauthorized') {
      this.#refreshLater(); // the token before holds for a while
    } else if (message.type === 'Error' && message.code === 'lots-changed') {
      return this.open(); // the fresh token is for other lots: it takes a connection of its own
    }
    if (this.#welcomed > 0 || message.type === 'Error') this.options.receive(message);
  }

  /** By the clock, so that the silence of a sleep counts as soon as it is over. */
  #watch(patience: number): void {
    const look = () => {
      const rest = patience - (Date.now() - this.#heard);
      if (rest <= 0) this.#lose(1006, 'silent', true);
      else this.#arm(Math.min(rest, patience), look);
    };
    this.#arm(patience, look);
  }

  /** Gives the living connection a fresh token. */
  #refresh(): void {
    const { token } = this.options;
    if (typeof token !== 'function') return;
    const attempt = this.#attempt;
    clearTimeout(this.#tokenTimer);
    call(token).then(
      (value) => {
        if (attempt !== this.#attempt || value === undefined) return;
        if (value === this.#shown) return this.#refreshLater(); // the provider holds it to be fresh enough for now
        this.#shown = value;
        this.send({ type: 'Authenticate', token: value });
      },
      (cause) => {
        if (attempt !== this.#attempt) return;
        this.options.failed(new ParkwireError('token', 'The token provider failed.', undefined, cause));
        if (attempt === this.#attempt) this.#refreshLater();
      },
    );
  }

  #refreshLater(): void {
    clearTimeout(this.#tokenTimer);
    this.#tokenTimer = setTimeout(() => this.#refresh(), timing.tokenRetry);
  }

  #lose(code: number, reason: string, dead = false): void {
    if (this.#welcomed > 0 && Date.now() - this.#welcomed >= timing.proven) this.#failures = 0;
    // Full jitter, so that ten thousand clients that lost the same server do not come back together.
    const backoff = this.options.random() * Math.min(timing.longestRetry, timing.firstRetry * 2 ** this.#failures++);
    const hint = this.#hint ?? / retry-after-ms=(\d+)$/.exec(` ${reason}`)?.[1];
    const retryMs = hint === undefined ? backoff : Math.min(Number(hint) || 0, timing.longestHint);
    this.#drop(dead);
    this.#waiting = true;
    this.#arm(retryMs, () => this.open());
    this.options.lost({ code, reason, retryMs });
  }

  /** Gives up whatever is under way. */
  #drop(dead = false): void {
    const socket = this.#socket;
    this.#socket = this.#hint = undefined;
    this.#attempt++;
    this.#waiting = false;
    this.#welcomed = 0;
    clearTimeout(this.#timer);
    clearTimeout(this.#tokenTimer);
    if (dead && socket?.terminate) socket.terminate();
    else socket?.close(1000);
  }

  #arm(milliseconds: number, task: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(task, milliseconds);
  }
}

type Timer = ReturnType<typeof setTimeout> | undefined;

/** Calls a provider so that what it throws is a rejection too. */
const call = async (provider: () => string | undefined | Promise<string | undefined>) => provider();
