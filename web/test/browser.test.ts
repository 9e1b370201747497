import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Connection } from '../src/live/connection';
import { watchBrowser } from '../src/live/session';
import { FakeSocket, Socket } from './sockets';

class Page extends EventTarget {
  hidden = false;
}

let page: Page;
let browser: EventTarget;
let connection: Connection;
let unwatch: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal('document', (page = new Page()));
  vi.stubGlobal('window', (browser = new EventTarget()));
  vi.stubGlobal('navigator', { onLine: true });
  connection = new Connection({
    address: '/notifications', load: async () => 'now', hasEventsAfter: async () => false, receive: () => {}, WebSocket: Socket, random: () => 1,
  });
  unwatch = watchBrowser(connection);
  void connection.run();
  await pass(0);
  FakeSocket.last.open();
  FakeSocket.last.send({ spotId: 'c-01', status: 'free', timestamp: '', cursor: 'seen' });
});

afterEach(() => {
  unwatch();
  connection.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

async function show(hidden: boolean) {
  page.hidden = hidden;
  page.dispatchEvent(new Event('visibilitychange'));
  await pass(0);
}

test('a tab that was hidden for long opens its connection anew when it is seen, behind the last event', async () => {
  await show(true);
  await pass(60_000);
  expect(FakeSocket.made).toHaveLength(1);
  await show(false);
  expect(FakeSocket.made).toHaveLength(2);
  expect(FakeSocket.last.after).toBe('seen');
});

test('a glance at another tab costs no connection', async () => {
  await show(true);
  await pass(10_000);
  await show(false);
  expect(FakeSocket.made).toHaveLength(1);
});

test('a machine that slept under an open page is noticed by its clock', async () => {
  vi.setSystemTime(Date.now() + 3_600_000);
  await pass(5_000);
  expect(FakeSocket.made).toHaveLength(2);
  FakeSocket.last.open();
  await pass(60_000);
  expect(FakeSocket.made, 'once').toHaveLength(2);
});

test('whoever looks at a page that is cut off does not wait for the next attempt', async () => {
  await show(true);
  FakeSocket.last.end();
  await pass(0);
  await show(false);
  expect(FakeSocket.made).toHaveLength(2);
});

test('a network that went and came is told, and the connection opened anew', async () => {
  browser.dispatchEvent(new Event('offline'));
  expect(connection.state.value, 'what still comes is still live').toBe('open');
  FakeSocket.last.end();
  expect(connection.state.value).toBe('offline');
  browser.dispatchEvent(new Event('online'));
  await pass(0);
  expect(FakeSocket.made).toHaveLength(2);
});
