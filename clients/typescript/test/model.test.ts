import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Parkwire, type ParkingEvent, type Request, type Subscription } from '../src/index.js';
import { Log, matches, Peer, type Entry } from './server.js';
import { FakeSocket, Socket } from './sockets.js';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.made = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const patience = 120_000; // milliseconds, on a busy machine

const name = ({ spotId, version }: ParkingEvent | Entry) => `${spotId}@${version}`;

/** A listener that checks what it hears: the state at its beginning, then every change since, in order, once. */
class Listener {
  subscription!: Subscription;
  #began: number | undefined; // in the log
  #heard: string[] = [];
  #log = 0;

  constructor(readonly wish: Request, private readonly log: Log) {
    if (wish.after !== undefined) this.#begin(wish.after);
  }

  attach(client: Parkwire): void {
    this.subscription = client.subscribe(this.wish, (message) => {
      if (message.type === 'reset') return void (this.#began = undefined);
      if (message.type === 'error') throw message.error;
      if (message.type === 'snapshot') {
        this.#begin(message.cursor);
        if (this.#began === undefined) return; // of a log that was replaced meanwhile
        expect(message.events.map(name).sort()).toEqual(this.log.state(this.wish, this.#began).map(name).sort());
      } else {
        this.#heard.push(...message.events.map(name));
      }
    });
  }

  /** After each frame: a subscription without a snapshot begins where it was taken. */
  look(): void {
    const { cursor } = this.subscription;
    if (this.#began === undefined && cursor !== undefined && !this.wish.snapshot) this.#begin(cursor);
    if (this.#log === this.log.name && this.#began !== undefined) {
      const due = this.#due();
      expect(this.#heard, 'what was heard, and what was due').toEqual(due.slice(0, this.#heard.length));
    }
  }

  end(): void {
    this.look();
    expect(this.#began, 'it has begun').toBeDefined();
    expect(this.#log, 'on the present log').toBe(this.log.name);
    expect(this.#heard, 'what was heard in the end').toEqual(this.#due());
  }

  #begin(cursor: string): void {
    this.#began = this.log.offset(cursor);
    this.#log = this.log.name;
    this.#heard = [];
  }

  #due(): string[] {
    return this.log.entries.slice(this.#began).filter((entry) => matches(this.wish, entry)).map(name);
  }
}

type Step =
  | { do: 'publish'; spot: number } | { do: 'read' | 'deliver'; n: number } | { do: 'follow' } | { do: 'repeat'; n: number } | { do: 'cut'; code: number; reason: string }
  | { do: 'flow' } | { do: 'wait'; ms: number } | { do: 'expire' } | { do: 'replace' } | { do: 'subscribe'; wish: Request; back?: number } | { do: 'unsubscribe'; which: number } | { do: 'check' | 'reconnect' };

const wish: fc.Arbitrary<Request> = fc.record(
  { lot: fc.constantFrom(['lot-0'], ['lot-0', 'lot-1']), spot: fc.constantFrom(['spot-0'], ['spot-1', 'spot-2']), snapshot: fc.boolean() },
  { requiredKeys: [] },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('publish' as const), spot: fc.nat(5) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'deliver' as const), n: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('follow' as const, 'flow' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), n: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), code: fc.constantFrom(1006, 1012, 1013), reason: fc.constantFrom('', 'restart retry-after-ms=500') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 1_000, 40_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'check' as const, 'reconnect' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('subscribe' as const), wish, back: fc.nat(9) }, { requiredKeys: ['do', 'wish'] }) },
);

function run(steps: readonly Step[]): void {
  const log = new Log();
  let peer: Peer | undefined;
  const client = new Parkwire(['ws://a', 'ws://b'], { WebSocket: Socket, random: () => 0.5 });
  let listeners: Listener[] = [];
  const subscribe = (request: Request, back?: number) => {
    if (listeners.length === 16) return;
    const after = back === undefined ? undefined : log.cursor(Math.max(log.oldest, log.entries.length - back));
    const listener = new Listener({ ...request, after }, log);
    listener.attach(client);
    listeners.push(listener);
  };
  /** The server's side of the connection that the client has, if any. */
  const connection = () => {
    if (FakeSocket.last.closed) return undefined;
    if (peer?.socket !== FakeSocket.last) peer = new Peer(FakeSocket.last, log);
    return peer;
  };
  const deliver = (peer: Peer) => {
    const some = peer.deliver();
    for (const listener of listeners) listener.look();
    return some;
  };
  /** Everything that is under way arrives. */
  const flow = () => {
    const last = connection();
    while (last && (last.read() || deliver(last) || last.waits())) continue;
  };
  const take = (step: Step) => {
    switch (step.do) {
      case 'publish': return log.append(step.spot);
      case 'read': for (let i = 0; i < step.n; i++) connection()?.read(); return;
      case 'deliver': for (let i = 0; i < step.n; i++) { const to = connection(); if (to) deliver(to); } return;
      case 'follow': return void connection()?.follow();
      case 'flow': return flow();
      case 'repeat': return connection()?.repeat(step.n);
      case 'cut': return connection()?.socket.end(step.code, step.reason);
      case 'wait': return void vi.advanceTimersByTime(step.ms);
      case 'expire': return void (log.oldest = log.entries.length);
      case 'replace': connection()?.socket.end(1012); return log.replace();
      case 'subscribe': return subscribe(step.wish, step.back);
      case 'unsubscribe': {
        const [gone] = listeners.splice(step.which, 1);
        return gone?.subscription.unsubscribe();
      }
      case 'check': return client.check();
      case 'reconnect': return client.reconnect();
    }
  };

  try {
    subscribe({ snapshot: true });
    subscribe({ lot: ['lot-0'] });
    for (const each of steps) take(each);
    // In the end the server is well: everything arrives.
    for (let round = 0; round < 3; round++) {
      while (FakeSocket.last.closed) vi.advanceTimersByTime(1_000);
      flow();
      connection()!.follow();
    }
    for (const listener of listeners) listener.end();
  } finally {
    client.close();
    expect(vi.getTimerCount(), 'timers that are left').toBe(0);
    listeners = [];
  }
}

test('whatever happens to connections: each listener has the state and then every change, in order, once', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), run), { numRuns: 400 });
}, patience);

test('also when the log is replaced by another one', () => {
  const replace = fc.record({ do: fc.constant('replace' as const) });
  fc.assert(fc.property(fc.array(fc.oneof({ weight: 30, arbitrary: step }, { weight: 1, arbitrary: replace }), { maxLength: 120 }), run), { numRuns: 200 });
}, patience);
