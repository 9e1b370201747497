import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Parkwire, type Lost, type Options, type ParkwireError, type State } from '../src/index.js';
import { timing } from '../src/line.js';
import { FakeSocket, Socket } from './sockets.js';

let client: Parkwire;
let random: number;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.made = [];
  random = 0.999_999;
});

afterEach(() => {
  client?.close();
  expect(vi.getTimerCount(), 'timers that are left').toBe(0);
  vi.useRealTimers();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const connect = (options: Options = {}, address: string | string[] = 'http://host') =>
  (client = new Parkwire(address, { WebSocket: Socket, random: () => random, ...options }));
const heartbeat = () => FakeSocket.last.say({ type: 'Heartbeat', cursor: 'c1' });

/** Loses the connection, and returns how long it took until the next attempt, to 10 ms. */
async function pauseAfter(end: () => void): Promise<number> {
  const [count, from] = [FakeSocket.made.length, Date.now()];
  end();
  await pass(0);
  while (FakeSocket.made.length === count) await pass(10);
  return Math.round((Date.now() - from) / 10) * 10;
}

describe('the address', () => {
  test.each([
    ['http://host:5000', 'ws://host:5000/notifications'],
    ['https://host/', 'wss://host/notifications'],
    ['ws://host/live/notifications?a=b', 'ws://host/live/notifications?a=b'],
  ])('%s is %s', (given, used) => {
    connect({}, given);
    expect(FakeSocket.last.url).toBe(used);
    expect(FakeSocket.last.protocols).toEqual(['parkwire.v1']);
  });

  test('is relative to the page in a browser', () => {
    vi.stubGlobal('location', { href: 'https://host/lots/central' });
    connect({}, '/notifications');
    expect(FakeSocket.last.url).toBe('wss://host/notifications');
    vi.unstubAllGlobals();
  });

  test('that is none is refused at once', () => {
    expect(() => connect({}, 'nonsense')).toThrow(TypeError);
    expect(() => connect({}, 'ftp://host')).toThrow(/ftp:\/\/host is no address/);
    expect(() => connect({}, [])).toThrow(TypeError);
  });

  test('of several is the next one after each loss, beginning with a random one', async () => {
    random = 0.4;
    connect({}, ['ws://a', 'ws://b', 'ws://c']);
    for (let i = 0; i < 3; i++) {
      FakeSocket.last.end();
      await pass(timing.longestRetry);
    }
    expect(FakeSocket.made.map(({ url }) => new URL(url).host).slice(0, 4)).toEqual(['b', 'c', 'a', 'b']);
  });
});

test('without any WebSocket the error says what to pass', () => {
  vi.stubGlobal('WebSocket', undefined);
  expect(() => new Parkwire('ws://host')).toThrow(/Node has one from 22 on.*\{ WebSocket \}/);
  vi.unstubAllGlobals();
});

test('the states: connecting, open, reconnecting, open, closed', async () => {
  connect();
  const states: State[] = [client.state];
  client.on('state', (state) => states.push(state));
  FakeSocket.last.welcome();
  FakeSocket.last.end();
  await pass(timing.firstRetry);
  FakeSocket.last.welcome();
  client.close();
  client.close();
  expect(states).toEqual(['connecting', 'open', 'reconnecting', 'open', 'closed']);
  expect(FakeSocket.made.every(({ closed }) => closed)).toBe(true);
  expect(() => client.subscribe({}, () => {})).toThrow('closed');
});

describe('the pause before the next attempt', () => {
  test('is a random part of a time that doubles up to a bound', async () => {
    connect();
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) pauses.push(await pauseAfter(() => FakeSocket.last.end()));
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  test('may be none at all, the first one too, so that many clients do not come back together', async () => {
    connect();
    FakeSocket.last.welcome();
    random = 0;
    FakeSocket.last.end();
    await pass(0);
    expect(FakeSocket.made).toHaveLength(2);
  });

  test('is short again after a connection that held, and not after one that only opened', async () => {
    connect();
    for (const expected of [1_000, 2_000, 4_000]) {
      FakeSocket.last.welcome();
      expect(await pauseAfter(() => FakeSocket.last.end(1013))).toBe(expected);
    }
    FakeSocket.last.welcome();
    await pass(timing.proven);
    expect(await pauseAfter(() => FakeSocket.last.end())).toBe(1_000);
  });

  test('is what the server asks for, in a message or in the reason of its close', async () => {
    connect();
    FakeSocket.last.welcome();
    FakeSocket.last.say({ type: 'Retry', afterMs: 7_310, reason: 'restart' });
    expect(await pauseAfter(() => FakeSocket.last.end(1012))).toBe(7_310);
    expect(await pauseAfter(() => FakeSocket.last.end(1013, 'the event log is away retry-after-ms=40000'))).toBe(40_000);
    expect(await pauseAfter(() => FakeSocket.last.end(1013, 'retry-after-ms=0'))).toBe(0);
    expect(await pauseAfter(() => FakeSocket.last.end(1012)), 'each time').not.toBe(7_310);
    client.on('lost', ({ retryMs }) => expect(retryMs, 'within reason').toBe(timing.longestHint));
    FakeSocket.last.end(1013, 'retry-after-ms=99999999999');
  });

  test('is told, with what is known of the loss', () => {
    connect();
    const losses: Lost[] = [];
    client.on('lost', (lost) => losses.push(lost));
    FakeSocket.last.end(1012, 'restart retry-after-ms=250');
    expect(losses).toEqual([{ code: 1012, reason: 'restart retry-after-ms=250', retryMs: 250 }]);
  });

  test('ends when somebody looks, or the network is back', async () => {
    connect();
    FakeSocket.last.end();
    client.check();
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.last.end();
    client.setOnline(false);
    expect(client.state).toBe('offline');
    client.setOnline(true);
    expect(client.state).toBe('connecting');
    expect(FakeSocket.made).toHaveLength(3);
  });
});

describe('a dead connection', () => {
  test('is given up when nothing came for three heartbeats', async () => {
    connect();
    FakeSocket.last.welcome();
    for (let i = 0; i < 5; i++) {
      await pass(10_000);
      heartbeat();
    }
    expect(FakeSocket.made).toHaveLength(1);
    await pass(29_990);
    expect(client.state).toBe('open');
    await pass(10);
    expect(client.state).toBe('reconnecting');
    expect(FakeSocket.made[0]!.terminated, 'without waiting for its goodbye').toBe(true);
  });

  test('is given up in its handshake too', async () => {
    connect();
    await pass(timing.handshake);
    expect(FakeSocket.made[0]!.closed).toBe(true);
    await pass(timing.firstRetry);
    expect(FakeSocket.made).toHaveLength(2);
  });

  test('is found by a check after a sleep, and one that is alive is left alone', async () => {
    connect();
    const subscription = client.subscribe({}, () => {});
    FakeSocket.last.welcome();
    await pass(12_000);
    client.check();
    expect(FakeSocket.made).toHaveLength(1);
    vi.setSystemTime(Date.now() + 3_600_000); // no timer ran
    client.check();
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.made[0]!.end();
    FakeSocket.last.welcome();
    FakeSocket.made[0]!.say({ type: 'Subscribed', id: 's1', cursor: 'old' }, { type: 'Stale', stale_since: '' });
    expect([subscription.cursor, client.staleSince], 'what the old one says is nobody’s').toEqual([undefined, undefined]);
    expect(client.state).toBe('open');
  });

  test('is replaced at once on demand', () => {
    connect();
    FakeSocket.last.welcome();
    client.reconnect();
    expect(FakeSocket.made[0]!.closed).toBe(true);
    expect(FakeSocket.made).toHaveLength(2);
    expect(client.state).toBe('reconnecting');
  });
});

describe('tokens', () => {
  test('a fixed one goes with each connection', async () => {
    connect({ token: 'a b' });
    expect(new URL(FakeSocket.last.url).searchParams.get('access_token')).toBe('a b');
  });

  test('a provider is asked for each connection', async () => {
    let n = 0;
    connect({ token: async () => `t${++n}` });
    await pass(0);
    FakeSocket.last.end(4401, 'token expired');
    await pass(timing.firstRetry);
    expect(FakeSocket.made.map(({ url }) => new URL(url).searchParams.get('access_token'))).toEqual(['t1', 't2']);
  });

  test('a living connection gets a fresh one before the old one expires', async () => {
    let n = 0;
    connect({ token: () => `t${++n}` });
    await pass(0);
    FakeSocket.last.welcome();
    FakeSocket.last.say({ type: 'Error', code: 'token-expiring', message: 'in 60 s' });
    await pass(0);
    expect(FakeSocket.last.said).toEqual([{ type: 'Authenticate', token: 't2' }]);
    FakeSocket.last.say({ type: 'Authenticated', expiresAt: '2026-11-24T03:35:00.000Z' });
    expect(FakeSocket.made).toHaveLength(1);
  });

  test('a provider that fails is told of and asked again', async () => {
    const errors: ParkwireError[] = [];
    let n = 0;
    const token = vi.fn(async () => `t${++n}`).mockRejectedValueOnce(new Error('no network'));
    connect({ token });
    client.on('error', (error) => errors.push(error));
    await pass(0);
    expect(errors.map(({ code, cause }) => [code, String(cause)])).toEqual([['token', 'Error: no network']]);
    await pass(timing.firstRetry);
    FakeSocket.last.welcome();
    token.mockRejectedValueOnce(new Error('again'));
    FakeSocket.last.say({ type: 'Error', code: 'token-expiring', message: '' });
    await pass(timing.tokenRetry);
    expect(FakeSocket.last.said).toEqual([{ type: 'Authenticate', token: 't2' }]);
    expect(errors).toHaveLength(2);
  });

  test('a token that the connection has is not sent again, but asked for once more', async () => {
    let fresh = 't1';
    connect({ token: () => fresh });
    await pass(0);
    FakeSocket.last.welcome();
    FakeSocket.last.say({ type: 'Error', code: 'token-expiring', message: 'in 60 s' });
    await pass(timing.tokenRetry - 1);
    expect(FakeSocket.last.said).toEqual([]);
    fresh = 't2';
    await pass(1);
    expect(FakeSocket.last.said).toEqual([{ type: 'Authenticate', token: 't2' }]);
  });

  test('without a token it connects as nobody, and one that has become nobody says nothing', async () => {
    let token: string | undefined;
    connect({ token: async () => token });
    await pass(0);
    expect(new URL(FakeSocket.last.url).searchParams.has('access_token')).toBe(false);
    FakeSocket.last.welcome();
    token = 't1';
    client.reconnect();
    await pass(0);
    expect(new URL(FakeSocket.last.url).searchParams.get('access_token')).toBe('t1');
    FakeSocket.last.welcome();
    token = undefined;
    FakeSocket.last.say({ type: 'Error', code: 'token-expiring', message: 'in 60 s' });
    await pass(timing.tokenRetry);
    expect(FakeSocket.last.said).toEqual([]);
  });

  test('a fresh token for other lots takes a new connection', async () => {
    let n = 0;
    connect({ token: () => `t${++n}` });
    await pass(0);
    FakeSocket.last.welcome();
    FakeSocket.last.say({ type: 'Error', code: 'token-expiring', message: 'in 60 s' });
    await pass(0);
    FakeSocket.last.say({ type: 'Error', code: 'lots-changed', message: 'connect again', field: 'token' });
    await pass(0);
    expect(FakeSocket.made.map(({ url }) => new URL(url).searchParams.get('access_token'))).toEqual(['t1', 't3']);
  });

  test('one that the server refuses is told, and another one fetched', async () => {
    let n = 0;
    const codes: string[] = [];
    connect({ token: () => `t${++n}` });
    client.on('error', ({ code }) => codes.push(code));
    await pass(0);
    FakeSocket.last.welcome();
    FakeSocket.last.say({ type: 'Error', code: 'token-expiring', message: '' });
    await pass(0);
    FakeSocket.last.say({ type: 'Error', code: 'unauthorized', message: 'expired already' });
    await pass(timing.tokenRetry);
    expect(FakeSocket.last.said.map(({ token }) => token)).toEqual(['t2', 't3']);
    expect(codes).toEqual(['unauthorized']);
  });

  test('a provider that never answers is given up, and its late answer is nobody’s', async () => {
    let answer: (token: string) => void = () => {};
    const token = vi.fn(() => new Promise<string>((resolve) => (answer = resolve)));
    connect({ token });
    const late = answer;
    await pass(timing.token + timing.firstRetry);
    expect(token).toHaveBeenCalledTimes(2);
    late('late');
    await pass(0);
    expect(FakeSocket.made).toHaveLength(0);
    answer('in time');
    await pass(0);
    expect(FakeSocket.made).toHaveLength(1);
  });

  test('closed while the provider is asked, nothing is opened', async () => {
    connect({ token: async () => 'late' });
    client.close();
    await pass(60_000);
    expect(FakeSocket.made).toHaveLength(0);
  });
});

test('what is no message, or one of a type that is not known, is passed over', () => {
  connect();
  FakeSocket.last.welcome();
  for (const data of ['', 'text', '7', 'null', '[]', '{}', '{"type":7}', '{"type":"New"}', '{"type":"toString"}']) FakeSocket.last.onmessage!({ data });
  expect(client.state).toBe('open');
});

test('a WebSocket that cannot be made is an error, and tried again', async () => {
  let n = 0;
  const errors: ParkwireError[] = [];
  class Forbidden extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      if (++n === 2) throw new Error('not from this page');
      super(url, protocols);
    }
  }
  connect({ WebSocket: Forbidden });
  client.on('error', (error) => errors.push(error));
  FakeSocket.last.onerror!({ message: 'refused' });
  FakeSocket.last.end();
  await pass(timing.firstRetry * 3);
  expect(errors.map(({ code, message }) => [code, message])).toEqual([['socket', 'refused'], ['socket', 'Error: not from this page']]);
  expect(FakeSocket.made).toHaveLength(2);
});

test.each(['state', 'lost', 'error'] as const)('a listener may close the client whatever it hears of: %s', async (happening) => {
  connect();
  FakeSocket.last.welcome();
  client.on(happening, () => client.close());
  if (happening === 'error') FakeSocket.last.onerror!({});
  else client.reconnect();
  await pass(60_000);
  expect(FakeSocket.made).toHaveLength(1);
});
