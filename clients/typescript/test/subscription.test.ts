import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Parkwire, type Request, type SubscriptionMessage } from '../src/index.js';
import { FakeSocket, Socket } from './sockets.js';

let client: Parkwire;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.made = [];
  client = new Parkwire('ws://host', { WebSocket: Socket, random: () => 0 });
  FakeSocket.last.welcome();
});

afterEach(() => {
  client.close();
  expect(vi.getTimerCount(), 'timers that are left').toBe(0);
  vi.useRealTimers();
});

const event = (spotId: string, version: number, more = {}) => ({ spotId, version, status: 'free', lotId: 'central', ...more });
const server = {
  say: (...messages: object[]) => FakeSocket.last.say(...messages),
  events: (cursor: string, ...events: object[]) => FakeSocket.last.say({ type: 'Events', events, cursor }),
  subscribed: (id: string, cursor: string) => FakeSocket.last.say({ type: 'Subscribed', id, cursor }),
  snapshot: (id: string, cursor: string, ...events: object[]) => FakeSocket.last.say({ type: 'Snapshot', id, events, complete: true, cursor }),
};

/** Subscribes, and keeps what the listener hears, events as "spot@version". */
function follow(request: Request = {}) {
  const heard: string[] = [];
  const subscription = client.subscribe(request, (message) => heard.push(text(message)));
  return { heard, subscription };
}

const text = (message: SubscriptionMessage): string => {
  switch (message.type) {
    case 'snapshot':
    case 'events':
      return `${message.type} ${message.events.map(({ spotId, version }) => `${spotId}@${version}`).join(' ')} to ${message.cursor}`;
    case 'reset':
      return `reset ${message.reason}`;
    case 'error':
      return `error ${message.error.code}`;
  }
};

/** Loses the connection and opens the next. Returns what the client asks for there. */
async function reconnect() {
  FakeSocket.last.end();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.welcome();
  return FakeSocket.last.said;
}

test('it asks for what is wanted and gets it', () => {
  const { heard, subscription } = follow({ lot: ['central'], zone: [], status: ['free', 'closed'] });
  expect(FakeSocket.last.said).toEqual([{ type: 'Subscribe', id: 's1', lot: ['central'], status: ['free', 'closed'] }]);
  server.subscribed('s1', 'c1');
  server.events('c2', event('a', 1), event('b', 4));
  expect(heard).toEqual(['events a@1 b@4 to c2']);
  expect(subscription.cursor).toBe('c2');
});

test('each subscription gets what its filter says, whatever the others want', () => {
  const free = follow({ lot: ['central'], status: ['free'] });
  const all = follow();
  server.subscribed('s1', 'c1');
  server.subscribed('s2', 'c1');
  server.events('c2', event('a', 1), event('a', 2, { status: 'closed' }), { spotId: 'other', status: 'free' }, event('h', 1, { lotId: 'harbour' }));
  expect(free.heard).toEqual(['events a@1 to c2']);
  expect(all.heard).toEqual(['events a@1 a@2 other@undefined h@1 to c2']);
});

test('without a change for it, a subscription’s cursor goes on all the same', () => {
  const { heard, subscription } = follow({ lot: ['harbour'] });
  server.subscribed('s1', 'c1');
  server.events('c2', event('a', 1));
  server.say({ type: 'Heartbeat', cursor: 'c3' });
  expect(heard).toEqual([]);
  expect(subscription.cursor).toBe('c3');
});

test('unsubscribed it hears nothing more, and is not asked for again', async () => {
  const { heard, subscription } = follow();
  server.subscribed('s1', 'c1');
  subscription.unsubscribe();
  subscription.unsubscribe();
  server.events('c2', event('a', 1));
  server.say({ type: 'Unsubscribed', id: 's1' }, { type: 'Error', code: 'unknown-subscription', message: '', id: 's1' });
  expect(FakeSocket.last.said.slice(1)).toEqual([{ type: 'Unsubscribe', id: 's1' }]);
  expect(heard).toEqual([]);
  expect(subscription.active).toBe(false);
  expect(await reconnect()).toEqual([]);
});

test('more than a connection carries is refused here', () => {
  const spots = Array.from({ length: 990 }, (_, i) => `s-${i}`);
  const { subscription } = follow({ spot: spots });
  expect(() => follow({ spot: spots.slice(0, 11) })).toThrow('at most 1000 values in all, not 1001');
  for (let i = 1; i < 16; i++) follow();
  expect(() => follow()).toThrow(RangeError);
  subscription.unsubscribe();
  follow({ spot: spots.slice(0, 11) });
});

describe('after a loss', () => {
  test('each goes on behind what it has had', async () => {
    follow();
    follow({ lot: ['central'], after: 'mine' });
    server.subscribed('s1', 'c1');
    server.events('c2', event('a', 1));
    expect(await reconnect()).toEqual([
      { type: 'Subscribe', id: 's1', after: 'c2' },
      { type: 'Subscribe', id: 's2', lot: ['central'], after: 'mine' },
    ]);
  });

  test('what comes before the server has taken a subscription again does not count for it', async () => {
    const one = follow();
    const two = follow();
    server.subscribed('s1', 'c1');
    server.subscribed('s2', 'c1');
    await reconnect();
    server.subscribed('s1', 'c1');
    server.events('c9', event('a', 5), event('a', 6)); // after which it is lost again
    expect(one.subscription.cursor).toBe('c9');
    expect(two.subscription.cursor).toBe('c1');
    expect(two.heard).toEqual([]);
    await reconnect();
    server.subscribed('s1', 'c9');
    server.subscribed('s2', 'c1');
    server.events('c9', event('a', 5), event('a', 6));
    expect(one.heard).toEqual(['events a@5 a@6 to c9']);
    expect(two.heard).toEqual(['events a@5 a@6 to c9']);
  });

  test('what one subscription lacks behind the others counts for it alone', () => {
    const one = follow();
    const two = follow({ after: 'old' });
    server.subscribed('s1', 'c5');
    server.subscribed('s2', 'old');
    server.say({ type: 'Events', id: 's2', events: [event('a', 1)], cursor: 'c3' });
    expect([one.heard, one.subscription.cursor]).toEqual([[], 'c5']);
    expect([two.heard, two.subscription.cursor]).toEqual([['events a@1 to c3'], 'c3']);
  });

  test('lost again before a Reset arrived, it has kept its place', async () => {
    follow({ snapshot: true });
    server.snapshot('s1', 'c1');
    await reconnect();
    server.subscribed('s1', 'c9');
    expect(await reconnect()).toEqual([{ type: 'Subscribe', id: 's1', after: 'c1', snapshot: true }]);
  });

  test('repetitions are dropped, but not events without a version, of which nobody knows', async () => {
    const { heard } = follow();
    server.subscribed('s1', 'c1');
    server.events('c3', event('a', 1), event('a', 2), { spotId: 'a', status: 'x' });
    await reconnect();
    server.subscribed('s1', 'c3');
    server.events('c4', event('a', 2), { spotId: 'a', status: 'x' }, event('a', 3));
    server.events('c4', event('a', 3));
    expect(heard.slice(1)).toEqual(['events a@undefined a@3 to c4']);
  });

  test('a cursor that has expired is told, and it follows from now on', async () => {
    const { heard, subscription } = follow();
    server.subscribed('s1', 'c1');
    server.events('c2', event('a', 7));
    await reconnect();
    server.say({ type: 'Error', code: 'cursor-expired', message: '', id: 's1' });
    expect(FakeSocket.last.said.at(-1)).toEqual({ type: 'Subscribe', id: 's1' });
    expect(subscription.cursor).toBeUndefined();
    server.subscribed('s1', 'c8');
    server.events('c9', event('a', 9));
    expect(heard.slice(1)).toEqual(['reset cursor-expired', 'events a@9 to c9']);
  });

  test('a cursor of another log is told, and versions begin anew', async () => {
    const { heard } = follow();
    server.subscribed('s1', 'c1');
    server.events('c2', event('a', 7));
    await reconnect();
    server.say({ type: 'Error', code: 'invalid-cursor', message: '', id: 's1', field: 'after' });
    server.subscribed('s1', 'd8');
    server.events('d9', event('a', 2));
    expect(heard.slice(1)).toEqual(['reset invalid-cursor', 'events a@2 to d9']);
  });

  test('a listener may give up a subscription that lost its place', async () => {
    const heard: string[] = [];
    const subscription = client.subscribe({ after: 'old' }, (message) => {
      heard.push(message.type);
      if (message.type === 'reset') subscription.unsubscribe();
    });
    server.say({ type: 'Error', code: 'cursor-expired', message: '', id: 's1' });
    expect(heard).toEqual(['reset']);
    expect(FakeSocket.last.said.filter(({ type }) => type === 'Subscribe')).toHaveLength(1);
  });
});

describe('a snapshot', () => {
  test('comes in parts and is told whole, before the changes after it', () => {
    const { heard, subscription } = follow({ snapshot: true });
    expect(FakeSocket.last.said).toEqual([{ type: 'Subscribe', id: 's1', snapshot: true }]);
    server.subscribed('s1', 'c1');
    server.say({ type: 'Snapshot', id: 's1', events: [event('a', 3)] });
    expect(subscription.cursor).toBeUndefined();
    server.snapshot('s1', 'c2', event('b', 5));
    server.events('c3', event('b', 5), event('a', 4));
    expect(heard).toEqual(['snapshot a@3 b@5 to c2', 'events a@4 to c3']);
  });

  test('of no spot is a snapshot too', () => {
    const { heard } = follow({ snapshot: true });
    server.snapshot('s1', 'c2');
    expect(heard).toEqual(['snapshot  to c2']);
  });

  test('is no place for what comes between its parts for another subscription: that comes again', () => {
    const other = follow({ lot: ['central'] });
    const { heard, subscription } = follow({ snapshot: true });
    server.subscribed('s1', 'c1');
    server.subscribed('s2', 'c1');
    server.say({ type: 'Snapshot', id: 's2', events: [event('a', 3)] });
    server.events('c2', event('a', 4));
    expect(subscription.cursor).toBeUndefined();
    server.snapshot('s2', 'c1', event('b', 5));
    server.events('c2', event('a', 4));
    expect(other.heard).toEqual(['events a@4 to c2']);
    expect(heard).toEqual(['snapshot a@3 b@5 to c1', 'events a@4 to c2']);
  });

  test('that is cut off is asked for anew, and its parts are forgotten', async () => {
    const { heard } = follow({ snapshot: true });
    server.say({ type: 'Snapshot', id: 's1', events: [event('gone', 3)] });
    expect(await reconnect()).toEqual([{ type: 'Subscribe', id: 's1', snapshot: true }]);
    server.snapshot('s1', 'c2', event('b', 5));
    expect(heard).toEqual(['snapshot b@5 to c2']);
    expect(await reconnect(), 'a complete one is not asked for again unless the cursor expired').toEqual([{ type: 'Subscribe', id: 's1', after: 'c2', snapshot: true }]);
  });

  test('follows a reset, also with lower versions, as of another log', async () => {
    const { heard } = follow({ snapshot: true });
    server.snapshot('s1', 'c2', event('a', 50));
    await reconnect();
    server.subscribed('s1', 'c2');
    server.say({ type: 'Reset', id: 's1', reason: 'other-log' });
    server.snapshot('s1', 'd1', event('a', 2));
    server.events('d2', event('a', 3));
    expect(heard).toEqual(['snapshot a@50 to c2', 'reset other-log', 'snapshot a@2 to d1', 'events a@3 to d2']);
  });

  test('is what a cursor that is none leads to', () => {
    const { heard } = follow({ snapshot: true, after: 'nonsense' });
    server.say({ type: 'Error', code: 'invalid-cursor', message: '', id: 's1', field: 'after' });
    expect(FakeSocket.last.said.at(-1)).toEqual({ type: 'Subscribe', id: 's1', snapshot: true });
    server.snapshot('s1', 'c2', event('a', 1));
    expect(heard).toEqual(['reset invalid-cursor', 'snapshot a@1 to c2']);
  });
});

describe('the log is away', () => {
  test('since when is told, and what is known is of then', () => {
    const stale: (number | undefined)[] = [];
    client.on('stale', (since) => stale.push(since));
    const { subscription } = follow();
    server.subscribed('s1', 'c1');
    server.events('c2', event('a', 1));
    expect(client.asOf).toBe(1_000_000);
    server.say({ type: 'Stale', stale_since: new Date(998_000).toISOString() });
    vi.setSystemTime(1_020_000);
    server.say({ type: 'Heartbeat', cursor: 'c2' });
    expect([client.staleSince, client.asOf, client.state]).toEqual([998_000, 998_000, 'open']);
    server.say({ type: 'Fresh' });
    server.events('c3', event('a', 2));
    expect([client.staleSince, client.asOf]).toEqual([undefined, 1_020_000]);
    expect(stale).toEqual([998_000, undefined]);
    expect(subscription.cursor).toBe('c3');
  });

  test('a server that knows more ends it', async () => {
    server.say({ type: 'Stale', stale_since: new Date(998_000).toISOString() });
    await reconnect();
    expect(client.staleSince).toBeUndefined();
  });

  test('a subscription that cannot be served is asked for again when it is back, or after a while', async () => {
    follow({ after: 'old' });
    const ask = { type: 'Subscribe', id: 's1', after: 'old' };
    server.say({ type: 'Error', code: 'log-unavailable', message: '', id: 's1' });
    expect(FakeSocket.last.said).toEqual([ask]);
    server.say({ type: 'Fresh' });
    expect(FakeSocket.last.said).toEqual([ask, ask]);
    server.say({ type: 'Error', code: 'log-unavailable', message: '', id: 's1' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(FakeSocket.last.said).toEqual([ask, ask, ask]);
  });
});

test('a refused subscription ends with the error, the others go on', async () => {
  const { heard, subscription } = follow({ status: ['nonsense' as 'free'] });
  follow();
  server.say({ type: 'Error', code: 'invalid-filter', message: 'no such status', id: 's1', field: 'status' });
  expect(heard).toEqual(['error invalid-filter']);
  expect(subscription.active).toBe(false);
  expect((await reconnect()).map(({ id }) => id)).toEqual(['s2']);
});

test('messages of other programs, what was left out and errors of the connection are told as they are', () => {
  const told: unknown[] = [];
  client.on('foreign', (message) => told.push(message));
  client.on('conflated', (conflated) => told.push(conflated));
  const off = client.on('error', ({ code, message, field }) => told.push([code, message, field]));
  server.say({ type: 'Foreign', message: { spotId: 'x', any: [1] } }, { type: 'Foreign', message: 'text' });
  server.say({ type: 'Conflated', after: 'c1', omitted: 12, more: true });
  server.say({ type: 'Error', code: 'unauthorized', message: 'expired', field: 'token' });
  off();
  server.say({ type: 'Error', code: 'unauthorized', message: '' });
  expect(told).toEqual([{ spotId: 'x', any: [1] }, 'text', { after: 'c1', omitted: 12 }, ['unauthorized', 'expired', 'token']]);
});

test('a listener that throws disturbs nobody, and its error is not swallowed', async () => {
  const uncaught: unknown[] = [];
  const tasks = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => {
    try {
      task();
    } catch (error) {
      uncaught.push(error);
    }
  });
  client.subscribe({}, () => {
    throw 'oops';
  });
  const { heard } = follow();
  server.subscribed('s1', 'c1');
  server.subscribed('s2', 'c1');
  server.events('c2', event('a', 1));
  expect(heard).toEqual(['events a@1 to c2']);
  expect(uncaught).toEqual(['oops']);
  tasks.mockRestore();
});

test('a listener may close the client in the middle of a frame: no other hears more', () => {
  client.subscribe({}, () => client.close());
  const { heard } = follow();
  server.subscribed('s1', 'c1');
  server.subscribed('s2', 'c1');
  server.events('c2', event('a', 1));
  expect(heard).toEqual([]);
});
