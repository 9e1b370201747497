import { Line, type Lost, type Socket, type SocketConstructor, type TokenProvider } from './line.js';
import { Reader, safely, type Request, type Subscription, type SubscriptionListener } from './subscription.js';
import { ParkwireError, size, type ServerMessage } from './wire.js';

export interface Options {
  /**
   * The access token, or what provides one: called for each connection, and again a minute before the token expires, so that a
   * living connection gets a fresh one without being opened anew. It has 30 s; while it fails it is called again with a growing pause. What it
   * gave already is not sent again: it is asked once more after 5 s. Default: no token.
   */
  readonly token?: TokenProvider | undefined;
  /** The WebSocket to use where there is no global one (Node before 22), such as that of the package `ws`. Default: the global one. */
  readonly WebSocket?: SocketConstructor | undefined;
  /** A number from 0 to below 1, for the pauses between attempts and the first address. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** `offline`: there is no connection, and {@link Parkwire.setOnline} said why. */
export type State = 'connecting' | 'open' | 'reconnecting' | 'offline' | 'closed';

/** What {@link Parkwire.on} tells of, beside what subscriptions bring. */
export interface Happenings {
  /** The state changed. */
  state: State;
  /**
   * The event log is away: nothing newer than this time (epoch, milliseconds) is known to the server, and changes follow when it is back.
   * Undefined: it is back.
   */
  stale: number | undefined;
  /** Another program published this on the bus: a JSON value, or a text that is none. It has no place in the log, and does not come again. */
  foreign: unknown;
  /**
   * This client was too slow: of what came after the cursor `after` only the newest event of each spot follows, `omitted` others do not. `GET
   * /api/v1/events?after=…` has them all.
   */
  conflated: { readonly after: string; readonly omitted: number };
  /** A connection was lost, or an attempt failed; it is tried again in `retryMs`. */
  lost: Lost;
  /** Something went wrong that ends nothing: the token provider failed, a WebSocket reported an error, the server refused a token. */
  error: ParkwireError;
}

/** At most so many subscriptions a connection, and filter values in all of them. The server refuses more. */
const most = { subscriptions: 16, values: 1_000 };

/**
 * A connection to Parkwire that keeps itself open. Every subscription on it sees each change once and in order per spot, however often
 * the connection is lost, and whichever server answers.
 *
 * It connects at once, and goes on trying until it is closed: pauses between attempts are a random part of 1 s, 2 s, 4 s … 15 s, or as long
 * as the server asked for (up to 5 min). A connection from which nothing came for three heartbeats (30 s) counts as lost.
 *
 * What a listener throws becomes an uncaught error, and disturbs nothing here.
 */
export class Parkwire {
  readonly #line: Line;
  readonly #readers = new Map<string, Reader>();
  readonly #values = new Map<Reader, number>();
  readonly #listeners = new Map<keyof Happenings, Set<(value: any) => void>>();
  readonly #unavailable = new Set<Reader>(); // refused because the log is away
  #again: ReturnType<typeof setTimeout> | undefined;
  #ids = 0;
  #open = false;
  #wasOpen = false;
  #online = true;
  #closed = false;
  #state: State = 'connecting';
  #stale: number | undefined;
  #asOf: number | undefined;
  readonly #random: () => number;

  /**
   * @param address Where Parkwire is, such as `https://parking.example` (then `/notifications` there) or a full WebSocket address; in a
   * browser relative to the page. Of several they are taken in turn, beginning with a random one: a cursor holds at all of them.
   * @throws TypeError where an address is none, there is no address, or there is no WebSocket.
   */
  constructor(address: string | readonly string[], { token, WebSocket, random = Math.random }: Options = {}) {
    const Socket = WebSocket ?? (globalThis as { WebSocket?: new (url: string, protocols: string[]) => Socket }).WebSocket;
    if (!Socket) {
      throw new TypeError(
        'There is no global WebSocket here (Node has one from 22 on). Pass one: import WebSocket from "ws"; new Parkwire(address, { WebSocket })',
      );
    }
    const addresses = (typeof address === 'string' ? [address] : address).map(complete);
    if (addresses.length === 0) throw new TypeError('There is no address to connect to.');
    this.#random = random;
    this.#line = new Line({
      addresses, token, random, WebSocket: Socket,
      receive: (message) => this.#receive(message),
      failed: (error) => this.#emit('error', error),
      lost: (lost) => {
        this.#open = false;
        this.#rest();
        this.#show();
        this.#emit('lost', lost);
      },
    });
    this.#line.open();
  }

  /** Whether there is a connection. `open`: the server answered, and subscriptions are being resumed or live. */
  get state(): State {
    return this.#state;
  }

  /** While the event log is away: since when (epoch, milliseconds). The connection stays open meanwhile. */
  get staleSince(): number | undefined {
    return this.#stale;
  }

  /**
   * Until when (epoch, milliseconds) what subscriptions brought is known to be whole: the time of the last events or heartbeat, or since when
   * the log is away. Undefined before the first.
   */
  get asOf(): number | undefined {
    return this.#asOf;
  }

  /**
   * Subscribes, now or as soon as there is a connection, and again on each later one, behind what the listener has had already. At most 16 at
   * a time, with at most 1,000 filter values together.
   *
   * Repetitions are known by the spot's version, which is remembered for each spot that was seen (some 100 bytes each).
   *
   * @throws RangeError for more than the bounds.
   * @throws Error when the client is closed.
   */
  subscribe(request: Request, listener: SubscriptionListener): Subscription {
    if (this.#closed) throw new Error('This client is closed.');
    const values = [...this.#values.values()].reduce((sum, n) => sum + n, size(request));
    if (this.#readers.size >= most.subscriptions) throw new RangeError(`A client has at most ${most.subscriptions} subscriptions.`);
    if (values > most.values) throw new RangeError(`A client's filters have at most ${most.values} values in all, not ${values}.`);
    const reader: Reader = new Reader(`s${++this.#ids}`, request, listener, () => {
      if (this.#remove(reader) && this.#open) this.#line.send({ type: 'Unsubscribe', id: reader.id });
    });
    this.#readers.set(reader.id, reader);
    this.#values.set(reader, size(request));
    if (this.#open) this.#line.send(reader.ask());
    return reader;
  }

  /** Listens to what concerns the connection as a whole. Returns what ends the listening. */
  on<K extends keyof Happenings>(happening: K, listener: (value: Happenings[K]) => void): () => void {
    const listeners = this.#listeners.get(happening) ?? new Set();
    this.#listeners.set(happening, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * Makes sure of the connection, after a sleep or when somebody looks: a pause between attempts ends, and a connection that was silent for
   * more than one and a half heartbeats is opened anew. One that is alive stays.
   */
  check(): void {
    if (!this.#closed) this.#line.check();
  }

  /** Opens the connection anew at once, as after a change of the network: what is open may be dead without knowing. */
  reconnect(): void {
    if (!this.#closed) this.#line.open();
  }

  /**
   * Takes over what the device believes of its network. False changes nothing but the state's name, as a server may be on the same machine; true after
   * false opens the connection anew.
   */
  setOnline(online: boolean): void {
    const back = online && !this.#online;
    this.#online = online;
    if (back) this.reconnect();
    this.#show();
  }

  /** Ends the connection and all subscriptions. Listeners hear of the state `closed` and nothing more; no timer is left. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#open = false;
    this.#line.close();
    this.#rest();
    for (const reader of this.#readers.values()) this.#remove(reader);
    this.#show();
    this.#listeners.clear();
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'Welcome':
        this.#open = this.#wasOpen = true;
        this.#setStale(undefined);
        for (const reader of this.#readers.values()) this.#line.send(reader.ask());
        return this.#show();
      case 'Subscribed':
        return this.#readers.get(message.id)?.subscribed(message.cursor);
      case 'Reset':
        return this.#readers.get(message.id)?.reset(message.reason);
      case 'Snapshot':
        return this.#readers.get(message.id)?.snapshot(message);
      case 'Events':
      case 'Heartbeat': {
        if (this.#stale === undefined) this.#asOf = Date.now();
        const { events, id } = message.type === 'Events' ? message : { events: [] };
        // With an id it is what one subscription lacks behind the others, and counts for it alone.
        for (const reader of [...this.#readers.values()]) if (id === undefined || id === reader.id) reader.events(events, message.cursor);
        return;
      }
      case 'Foreign':
        return this.#emit('foreign', message.message);
      case 'Stale':
        this.#asOf = Date.parse(message.stale_since) || Date.now();
        return this.#setStale(this.#asOf);
      case 'Fresh':
        this.#setStale(undefined);
        return this.#askAgain();
      case 'Conflated':
        return this.#emit('conflated', { after: message.after, omitted: message.omitted });
      case 'Error':
        return this.#refused(message);
    }
  }

  #refused({ code, message, id, field }: ServerMessage & { type: 'Error' }): void {
    const error = new ParkwireError(code, message, field);
    if (id === undefined) return this.#emit('error', error);
    const reader = this.#readers.get(id);
    if (!reader) return; // of one that has ended meanwhile
    if (code === 'cursor-expired' || code === 'invalid-cursor') {
      reader.lose(code);
      if (reader.active && this.#open) this.#line.send(reader.ask());
    } else if (code === 'log-unavailable') {
      this.#unavailable.add(reader);
      this.#again ??= setTimeout(() => this.#askAgain(), 1_000 + this.#random() * 4_000);
    } else {
      reader.tell({ type: 'error', error });
      this.#remove(reader);
    }
  }

  /** Asks for the subscriptions that could not be served while the log was away. */
  #askAgain(): void {
    const readers = [...this.#unavailable];
    this.#rest();
    for (const reader of readers) if (reader.active) this.#line.send(reader.ask());
  }

  #rest(): void {
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#unavailable.clear();
  }

  #remove(reader: Reader): boolean {
    reader.active = false;
    this.#values.delete(reader);
    return this.#readers.delete(reader.id);
  }

  #setStale(stale: number | undefined): void {
    if (this.#stale === stale) return;
    this.#stale = stale;
    this.#emit('stale', stale);
  }

  #show(): void {
    const state = this.#closed ? 'closed' : this.#open ? 'open' : !this.#online ? 'offline' : this.#wasOpen ? 'reconnecting' : 'connecting';
    if (state === this.#state) return;
    this.#state = state;
    this.#emit('state', state);
  }

  #emit<K extends keyof Happenings>(happening: K, value: Happenings[K]): void {
    for (const listener of [...(this.#listeners.get(happening) ?? [])]) safely(listener, value);
  }
}

/** The full address of the notifications. */
function complete(address: string): string {
  const url = new URL(address, (globalThis as { location?: { href: string } }).location?.href);
  url.protocol = url.protocol.replace('http', 'ws');
  if (!/^wss?:$/.test(url.protocol)) throw new TypeError(`${address} is no address of a WebSocket.`);
  if (url.pathname === '/') url.pathname = '/notifications';
  url.hash = '';
  return url.href;
}
