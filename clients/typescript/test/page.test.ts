import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Parkwire, watchPage } from '../src/index.js';
import { FakeSocket, Socket } from './sockets.js';

class Page extends EventTarget {
  hidden = false;
}

let page: Page;
let browser: EventTarget;
let client: Parkwire;
let unwatch: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal('document', (page = new Page()));
  vi.stubGlobal('window', (browser = new EventTarget()));
  vi.stubGlobal('navigator', { onLine: true });
  client = new Parkwire('ws://host', { WebSocket: Socket, random: () => 0.99 });
  unwatch = watchPage(client);
  FakeSocket.last.welcome();
});

afterEach(() => {
  unwatch();
  client.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Time passes, with the server's heartbeats. */
function live(seconds: number) {
  for (let i = 0; i < seconds; i += 10) {
    vi.advanceTimersByTime(10_000);
    FakeSocket.last.say({ type: 'Heartbeat', cursor: 'c' });
  }
}

function show(hidden: boolean) {
  page.hidden = hidden;
  page.dispatchEvent(new Event('visibilitychange'));
}

test('to look at another tab costs no connection, as long as the hidden one heard from the server', () => {
  show(true);
  live(600);
  show(false);
  live(10);
  expect(FakeSocket.made).toHaveLength(1);
});

test('a tab that was frozen opens its connection anew when it is seen', () => {
  show(true);
  vi.setSystemTime(Date.now() + 60_000); // no timer ran, no frame was read
  show(false);
  expect(FakeSocket.made).toHaveLength(2);
});

test('a machine that slept under an open page is noticed by its clock, whatever was heard since', () => {
  vi.setSystemTime(Date.now() + 3_600_000);
  FakeSocket.last.say({ type: 'Heartbeat', cursor: 'from before the sleep' });
  vi.advanceTimersByTime(500);
  expect(FakeSocket.made).toHaveLength(2);
  FakeSocket.last.welcome();
  live(60);
  expect(FakeSocket.made, 'once').toHaveLength(2);
});

test('a page that was frozen while it was in sight is awake as soon as the browser says so', () => {
  vi.setSystemTime(Date.now() + 3_600_000); // no timer ran
  page.dispatchEvent(new Event('resume'));
  expect(FakeSocket.made).toHaveLength(2);
  vi.advanceTimersByTime(5_000);
  expect(FakeSocket.made, 'once').toHaveLength(2);
});

test('whoever looks at a page that is cut off does not wait for the next attempt', () => {
  show(true);
  FakeSocket.last.end();
  show(false);
  expect(FakeSocket.made).toHaveLength(2);
});

test('a network that went and came is told, and the connection opened anew', () => {
  browser.dispatchEvent(new Event('offline'));
  expect(client.state, 'what still comes is still live').toBe('open');
  FakeSocket.last.end();
  expect(client.state).toBe('offline');
  browser.dispatchEvent(new Event('online'));
  expect(client.state).toBe('reconnecting');
  expect(FakeSocket.made).toHaveLength(2);
});

test('where the browser believes to be offline from the start, it tries all the same', () => {
  vi.stubGlobal('navigator', { onLine: false });
  const other = new Parkwire('ws://host', { WebSocket: Socket });
  const end = watchPage(other);
  expect(other.state).toBe('offline');
  FakeSocket.last.welcome();
  expect(other.state).toBe('open');
  end();
  other.close();
});
