import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProblemError } from '../src/live/api';
import { Connection, timing } from '../src/live/connection';
import type { ParkingEvent } from '../src/live/wire';
import { FakeSocket, Socket } from './sockets';

let connection: Connection;
let received: ParkingEvent[];
let load: ReturnType<typeof vi.fn<() => Promise<string>>>;
let hasEventsAfter: ReturnType<typeof vi.fn<(cursor: string) => Promise<boolean>>>;
let random: number;

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.made = [];
  received = [];
  random = 1;
  load = vi.fn(async () => `loaded-${load.mock.calls.length}`);
  hasEventsAfter = vi.fn(async () => false);
  connection = new Connection({
    address: '/notifications', load, hasEventsAfter, receive: (event) => received.push(event), WebSocket: Socket, random: () => random,
  });
  void connection.run();
  await pass(0);
});

afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const event = (cursor: string) => ({ spotId: 'c-01', status: 'free', timestamp: '', cursor });

/** Opens the connection and receives an event. */
function follow(cursor = 'one') {
  FakeSocket.last.open();
  FakeSocket.last.send(event(cursor));
}

test('it loads the state and follows from its cursor', async () => {
  expect(connection.state.value).toBe('connecting');
  expect(FakeSocket.last.after).toBe('loaded-1');
  FakeSocket.last.open();
  expect(connection.state.value).toBe('open');
  FakeSocket.last.send(event('one'));
  expect(received).toHaveLength(1);
});

test('after a loss it goes on behind the last event, and says since when what is shown may be old', async () => {
  follow();
  await pass(2_000);
  FakeSocket.last.send(event('two'));
  FakeSocket.last.end();
  expect(connection.state.value).toBe('reconnecting');
  expect(connection.asOf.value).toBe(1_002_000);
  await pass(timing.firstRetry);
  expect(FakeSocket.made).toHaveLength(2);
  expect(FakeSocket.last.after).toBe('two');
  FakeSocket.last.open();
  expect(connection.state.value).toBe('open');
  expect(load).toHaveBeenCalledTimes(1);
});

test('an event without a cursor leaves the cursor as it was', async () => {
  follow('one');
  FakeSocket.last.send({ spotId: 'foreign', status: 'free', timestamp: '' });
  FakeSocket.last.end();
  await pass(timing.firstRetry);
  expect(FakeSocket.last.after).toBe('one');
});

test('frames that are no event are passed over', () => {
  FakeSocket.last.open();
  FakeSocket.last.onmessage?.({ data: 'not json' });
  FakeSocket.last.send(['spotId']);
  FakeSocket.last.send({ spotId: 7 });
  expect(received).toEqual([]);
  expect(connection.state.value).toBe('open');
});

describe('the pause before the next attempt', () => {
  test('is a random part of a time that doubles up to a bound', async () => {
    const pauses: number[] = [];
    follow();
    for (let i = 0; i < 8; i++) {
      const count = FakeSocket.made.length;
      FakeSocket.last.end();
      const from = Date.now();
      while (FakeSocket.made.length === count) await pass(100);
      pauses.push(Date.now() - from);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000]);
  });

  test('may be none at all, so that many pages do not come back together', async () => {
    follow();
    random = 0;
    FakeSocket.last.end();
    await pass(1);
    expect(FakeSocket.made).toHaveLength(2);
  });

  test('grows when connections open and close at once, as an overloaded server does it', async () => {
    FakeSocket.last.open();
    FakeSocket.last.end(1013);
    await pass(timing.firstRetry);
    expect(FakeSocket.made).toHaveLength(1);
    await pass(timing.firstRetry);
    expect(FakeSocket.made).toHaveLength(2);
  });

  test('ends when the network comes back or somebody looks', async () => {
    follow();
    FakeSocket.last.end();
    connection.setOnline(false);
    expect(connection.state.value).toBe('offline');
    connection.setOnline(true);
    await pass(0);
    expect(FakeSocket.made).toHaveLength(2);
    expect(connection.state.value).toBe('reconnecting');
  });
});

describe('the state is loaded again', () => {
  test('when the cursor has expired', async () => {
    follow();
    FakeSocket.last.end(4410);
    await pass(timing.firstRetry);
    expect(load).toHaveBeenCalledTimes(2);
    expect(FakeSocket.last.after).toBe('loaded-2');
  });

  test('when the connection does not open time and again', async () => {
    for (let i = 0; i < 3; i++) {
      expect(FakeSocket.last.after).toBe('loaded-1');
      FakeSocket.last.end();
      await pass(timing.longestRetry);
    }
    expect(FakeSocket.last.after).toBe('loaded-2');
  });

  test('but not for connections that opened', async () => {
    for (let i = 0; i < 6; i++) {
      follow('one');
      FakeSocket.last.end(1012);
      await pass(timing.longestRetry);
    }
    expect(load).toHaveBeenCalledTimes(1);
  });
});

test('a refusal to load is told, and tried again no sooner than the server asked', async () => {
  load.mockRejectedValueOnce(new ProblemError({ title: 'Too Many Requests', status: 429, detail: 'Slow down.' }, 7_000));
  follow();
  FakeSocket.last.end(4410);
  await pass(timing.firstRetry);
  expect(connection.problem.value).toMatchObject({ detail: 'Slow down.' });
  expect(connection.state.value).toBe('reconnecting');
  await pass(6_900);
  expect(load).toHaveBeenCalledTimes(2);
  await pass(100);
  expect(load).toHaveBeenCalledTimes(3);
  expect(connection.problem.value).toBeUndefined();
});

describe('a silent connection', () => {
  test('is kept when the platform has nothing to say', async () => {
    FakeSocket.last.open();
    await pass(timing.silence + 10);
    expect(hasEventsAfter).toHaveBeenCalledWith('loaded-1');
    expect(connection.asOf.value, 'it was known to be whole when asked').toBe(1_000_000 + timing.silence);
    await pass(timing.silence * 3);
    expect(FakeSocket.made).toHaveLength(1);
  });

  test('is given up when the platform has events that it did not bring', async () => {
    FakeSocket.last.open();
    hasEventsAfter.mockResolvedValue(true);
    await pass(timing.silence + timing.grace);
    expect(FakeSocket.made[0]!.closed).toBe(true);
    expect(connection.state.value).toBe('reconnecting');
  });

  test('is kept when the event comes a moment after all', async () => {
    FakeSocket.last.open();
    hasEventsAfter.mockResolvedValue(true);
    await pass(timing.silence + timing.grace - 1);
    FakeSocket.last.send(event('late'));
    await pass(timing.grace);
    expect(FakeSocket.made).toHaveLength(1);
    expect(connection.state.value).toBe('open');
  });

  test('is given up when the platform does not answer, and kept when it refuses to', async () => {
    FakeSocket.last.open();
    hasEventsAfter.mockRejectedValueOnce(new ProblemError({ title: 'Too Many Requests', status: 429 }));
    await pass(timing.silence + timing.grace);
    expect(connection.state.value).toBe('open');
    hasEventsAfter.mockRejectedValueOnce(new ProblemError({ title: 'Parkwire cannot be reached' }));
    await pass(timing.silence + timing.grace);
    expect(connection.state.value).toBe('reconnecting');
  });
});

test('a check opens the connection anew at once, behind the last event', async () => {
  follow('one');
  connection.check();
  await pass(0);
  expect(FakeSocket.made[0]!.closed).toBe(true);
  expect(FakeSocket.last.after).toBe('one');
  FakeSocket.made[0]!.send(event('from the old one'));
  expect(received).toHaveLength(1);
});

test('a handshake that never ends is given up', async () => {
  await pass(timing.handshake);
  expect(FakeSocket.made[0]!.closed).toBe(true);
  await pass(timing.firstRetry * 2);
  expect(FakeSocket.made).toHaveLength(2);
});

test('stopped, it does nothing more', async () => {
  follow();
  connection.stop();
  await pass(60_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(FakeSocket.made[0]!.closed).toBe(true);
});
