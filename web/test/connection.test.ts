import { watchPage } from 'parkwire-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProblemError } from '../src/live/http';
import { Connection, timing } from '../src/live/connection';
import type { ParkingEvent } from '../src/live/wire';
import { address, FakeSocket, Socket } from './sockets';

let connection: Connection;
let received: ParkingEvent[];
let load: ReturnType<typeof vi.fn<() => Promise<string>>>;
let reopened: ReturnType<typeof vi.fn<() => void>>;
let omitted: ReturnType<typeof vi.fn<() => void>>;

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.made = [];
  received = [];
  load = vi.fn(async () => `loaded-${load.mock.calls.length}`);
  reopened = vi.fn();
  omitted = vi.fn();
  connection = new Connection({ address, load, reopened, omitted, receive: (event) => received.push(event), WebSocket: Socket, random: () => 0.999_999 });
  void connection.run();
  await pass(0);
});

afterEach(() => {
  connection.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const event = (cursor: string) => ({ spotId: 'c-01', status: 'free', timestamp: '', cursor });

/** Opens the connection and receives an event. */
function follow(cursor = 'one') {
  FakeSocket.last.open();
  FakeSocket.last.event(event(cursor));
}

test('it loads the state and follows from its cursor', () => {
  expect(connection.state.value).toBe('connecting');
  FakeSocket.last.open();
  expect(FakeSocket.last.after).toBe('loaded-1');
  expect(connection.state.value).toBe('open');
  FakeSocket.last.event(event('one'));
  expect(received).toEqual([{ spotId: 'c-01', status: 'free', timestamp: '' }]);
  expect(reopened).not.toHaveBeenCalled();
});

test('a connection is not taken for live before the state is there', async () => {
  let loaded: (cursor: string) => void = () => {};
  const slow = new Connection({ address, load: () => new Promise((resolve) => (loaded = resolve)), receive: () => {}, WebSocket: Socket });
  void slow.run();
  FakeSocket.last.open();
  FakeSocket.last.say({ type: 'Foreign', message: { spotId: 'x', status: 'free' } });
  expect(slow.state.value).toBe('connecting');
  loaded('now');
  await pass(0);
  expect(FakeSocket.last.after).toBe('now');
  expect(slow.state.value).toBe('open');
  slow.stop();
});

test('after a loss it goes on behind the last event, and says since when what is shown may be old', async () => {
  follow();
  await pass(2_000);
  FakeSocket.last.event(event('two'));
  FakeSocket.last.end();
  expect(connection.state.value).toBe('reconnecting');
  expect(connection.asOf.value).toBe(1_002_000);
  await pass(1_000);
  FakeSocket.last.open();
  expect(FakeSocket.last.after).toBe('two');
  expect(connection.state.value).toBe('open');
  expect(reopened).toHaveBeenCalledTimes(1);
  expect(load).toHaveBeenCalledTimes(1);
});

test('without events, what is shown is known to be whole by the heartbeats', async () => {
  FakeSocket.last.open();
  await pass(10_000);
  FakeSocket.last.heartbeat('later');
  await pass(5_000);
  FakeSocket.last.end();
  expect(connection.asOf.value).toBe(1_010_000);
  await pass(1_000);
  FakeSocket.last.open();
  expect(FakeSocket.last.after).toBe('later');
});

test('what other programs publish on the bus is an event too, if it looks like one', () => {
  FakeSocket.last.open();
  for (const message of [{ spotId: 'x', status: 'free' }, 'text', null, 7, ['spotId'], { spotId: 7 }]) FakeSocket.last.say({ type: 'Foreign', message });
  expect(received).toEqual([{ spotId: 'x', status: 'free', timestamp: '' }]);
  expect(connection.state.value).toBe('open');
});

test('while the event log is away it says since when, and stays open', () => {
  follow();
  FakeSocket.last.say({ type: 'Stale', stale_since: new Date(998_000).toISOString() });
  expect([connection.state.value, connection.stale.value, connection.asOf.value]).toEqual(['open', true, 998_000]);
  FakeSocket.last.say({ type: 'Fresh' });
  expect([connection.state.value, connection.stale.value]).toEqual(['open', false]);
});

test('cut off while the log is away, it is reconnecting, and what is shown is of before', async () => {
  follow();
  FakeSocket.last.say({ type: 'Stale', stale_since: new Date(998_000).toISOString() });
  FakeSocket.last.end();
  expect([connection.state.value, connection.stale.value, connection.asOf.value]).toEqual(['reconnecting', false, 998_000]);
});

test('changes that were left out are admitted, once each time', () => {
  follow();
  FakeSocket.last.say({ type: 'Conflated', after: 'one', omitted: 5 });
  FakeSocket.last.say({ type: 'Conflated', after: 'one', omitted: 9 });
  expect(omitted).toHaveBeenCalledTimes(1);
  FakeSocket.last.say({ type: 'Conflated', after: 'two', omitted: 1 });
  expect(omitted).toHaveBeenCalledTimes(2);
});

describe('the state is loaded again', () => {
  test('when the cursor has expired, after a random pause', async () => {
    follow();
    FakeSocket.last.end(1012);
    await pass(1_000);
    FakeSocket.last.open();
    FakeSocket.last.expire();
    await pass(0);
    expect(connection.state.value).toBe('reconnecting');
    FakeSocket.last.heartbeat('head'); // tells nothing of what is not followed
    await pass(timing.firstRetry - 10);
    expect(load).toHaveBeenCalledTimes(1);
    expect(connection.asOf.value).toBe(1_000_000);
    await pass(10);
    FakeSocket.last.take();
    expect(FakeSocket.last.after).toBe('loaded-2');
    expect(connection.state.value).toBe('open');
  });

  test('but not for connections that were only lost', async () => {
    for (let i = 0; i < 6; i++) {
      follow('one');
      FakeSocket.last.end(1012);
      await pass(15_000);
    }
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('no sooner than the server asked, and a refusal is told meanwhile', async () => {
    load.mockRejectedValueOnce(new ProblemError({ title: 'Too Many Requests', status: 429, detail: 'Slow down.' }, 7_000));
    follow();
    FakeSocket.last.expire();
    await pass(timing.firstRetry);
    expect(connection.problem.value).toMatchObject({ detail: 'Slow down.' });
    expect(connection.state.value).toBe('reconnecting');
    await pass(6_900);
    expect(load).toHaveBeenCalledTimes(2);
    await pass(100);
    expect(load).toHaveBeenCalledTimes(3);
    expect(connection.problem.value).toBeUndefined();
  });

  test('in pauses that double up to a bound', async () => {
    load.mockRejectedValue(new Error('no'));
    follow();
    FakeSocket.last.expire();
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const [calls, from] = [load.mock.calls.length, Date.now()];
      while (load.mock.calls.length === calls) {
        await pass(100);
        FakeSocket.last.heartbeat('head');
      }
      pauses.push(Date.now() - from);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  test('at once when somebody looks', async () => {
    load.mockRejectedValueOnce(new Error('no'));
    follow();
    FakeSocket.last.expire();
    await pass(timing.firstRetry);
    connection.check();
    await pass(0);
    expect(load).toHaveBeenCalledTimes(3);
  });

  test('at once for somebody else, who waits for nobody', async () => {
    follow();
    connection.restart();
    await pass(0);
    expect(load).toHaveBeenCalledTimes(2);
    FakeSocket.last.open();
    expect(FakeSocket.last.after).toBe('loaded-2');
    FakeSocket.last.expire();
    await pass(timing.firstRetry - 10);
    expect(load, 'and no more often than that').toHaveBeenCalledTimes(2);
  });

  test('when the subscription is refused, which is told', async () => {
    follow();
    FakeSocket.last.say({ type: 'Error', code: 'forbidden', message: 'Not for you.', id: FakeSocket.last.said[0]!.id });
    await pass(0);
    expect(connection.problem.value).toMatchObject({ detail: 'Not for you.' });
    await pass(timing.firstRetry * 2);
    expect(FakeSocket.last.after).toBe('loaded-2');
  });
});

test('it hears what the browser notices: a network that went and came opens the connection anew', async () => {
  const [page, browser] = [Object.assign(new EventTarget(), { hidden: false }), new EventTarget()];
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', browser);
  vi.stubGlobal('navigator', { onLine: true });
  const unwatch = watchPage(connection);
  follow('one');
  browser.dispatchEvent(new Event('offline'));
  expect(connection.state.value, 'what still comes is still live').toBe('open');
  FakeSocket.last.end();
  expect(connection.state.value).toBe('offline');
  browser.dispatchEvent(new Event('online'));
  expect(connection.state.value).toBe('reconnecting');
  expect(FakeSocket.made).toHaveLength(2);
  FakeSocket.last.open();
  expect(FakeSocket.last.after).toBe('one');
  vi.setSystemTime(Date.now() + 3_600_000); // it slept
  await pass(5_000);
  expect(FakeSocket.made).toHaveLength(3);
  unwatch();
  vi.unstubAllGlobals();
});

test('after an hour of sleep it loads the state at once, instead of hearing everything that happened meanwhile', async () => {
  follow('one');
  vi.setSystemTime(Date.now() + 3_600_000);
  connection.check(); // as when the tab is seen again
  await pass(0);
  expect(load).toHaveBeenCalledTimes(2);
  expect(FakeSocket.made).toHaveLength(2);
  FakeSocket.last.open();
  expect(FakeSocket.last.after).toBe('loaded-2');
  expect(FakeSocket.last.said.filter(({ type }) => type === 'Subscribe'), 'once').toHaveLength(1);
  expect(connection.state.value).toBe('open');
});

test('what was kept of an earlier visit is of then, until the state is loaded', async () => {
  load.mockImplementation(() => new Promise(() => {}));
  const later = new Connection({ address, load, receive: () => {}, WebSocket: Socket });
  void later.run();
  later.recall(5_000);
  expect(later.asOf.value).toBe(5_000);
  expect(later.state.value).toBe('connecting');
  later.stop();
});

test('stopped, it does nothing more', async () => {
  follow();
  connection.stop();
  await pass(60_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(FakeSocket.made[0]!.closed).toBe(true);
  expect(load).toHaveBeenCalledTimes(1);
});
