import { effect, signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Api, nobody } from '../src/live/api';
import { Session } from '../src/live/session';
import { announce, pause } from '../src/shell/Announcer';
import type { Place } from '../src/ui/places';
import { said, say } from '../src/ui/said';
import { address, FakeSocket, Socket } from './sockets';

const at = vi.hoisted(() => ({ place: undefined as unknown as { value: Place } }));
vi.mock('../src/ui/router', async () => ({ ...(await import('../src/ui/places')), get place() { return at.place; } }));

let session: Session;
let end: () => void;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frame());
  vi.stubGlobal('cancelAnimationFrame', () => undefined);
  FakeSocket.made = [];
  at.place = signal<Place>({ view: 'city' });
  session = new Session(new Api(nobody, answer as typeof fetch), address, { Socket });
  end = announce(session);
  void session.connection.run();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.open();
});

afterEach(() => {
  end();
  session.connection.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function answer(asking: string): Promise<Response> {
  const { pathname } = new URL(asking, 'http://host');
  if (pathname === '/api/v1/lots') return Response.json({ items: [{ id: 'central', name: 'Central' }, { id: 'harbour', name: 'Harbour' }] });
  const items = ['c-01', 'c-02', 'h-01'].map((spotId) => ({ spotId, lotId: spotId.startsWith('c') ? 'central' : 'harbour', status: 'free', version: 1, changedAt: '2026-11-24T03:35:00.123Z' }));
  return Response.json({ items, after: 'now' });
}

const occupy = (spotId: string, version: number) =>
  FakeSocket.last.event({ spotId, version, status: 'occupied', change: 'occupied', timestamp: '2026-11-24T03:36:00Z', lotId: spotId.startsWith('c') ? 'central' : 'harbour', cursor: `${spotId}@${version}` } as { cursor: string });
/** What is said after the next pause, in which the server shows that it is there. */
const next = async () => {
  for (let i = 0; i < 4; i++) {
    FakeSocket.last.heartbeat('now');
    await vi.advanceTimersByTimeAsync(pause / 4);
  }
  return said.value;
};

test('what the connection does is said at once, and changes only as a summary', async () => {
  expect(said.value).toBe('Live');
  occupy('c-01', 2);
  occupy('h-01', 2);
  expect(said.value, 'no announcement for each change').toBe('Live');
  expect(await next()).toBe('All lots: 1 of 3 spots free.');
  at.place.value = { view: 'lot', lotId: 'central' };
  expect(await next()).toBe('Central: 1 of 2 spots free.');
  at.place.value = { view: 'spot', spotId: 'c-01' };
  expect(await next()).toBe('c-01: occupied');
});

test('that the event log is away is said, and counts are not told as if they were present', async () => {
  FakeSocket.last.say({ type: 'Stale', stale_since: new Date(Date.now() - 5_000).toISOString() });
  expect(said.value).toMatch(/^Changes are delayed/);
  const delay = said.value;
  expect(await next()).toBe(delay);
  FakeSocket.last.say({ type: 'Fresh' });
  expect(said.value).toBe('Live');
  expect(await next()).toBe('All lots: 3 of 3 spots free.');
});

test('what somebody does twice is said twice, and how it is no more often than it changes', async () => {
  const heard: string[] = [];
  const stop = effect(() => void heard.push(said.value));
  say('c-01: free');
  say('c-01: free');
  say('c-01: free');
  expect(heard.map((each) => each.trim())).toEqual(['Live', 'c-01: free', 'c-01: free', 'c-01: free']);
  expect(heard.every((each, i) => each !== heard[i - 1]), 'a page that shows the same tells nothing').toBe(true);
  heard.length = 0;
  await next();
  await next();
  stop();
  expect(heard).toEqual(['All lots: 3 of 3 spots free.']);
});

test('who fills in a form or reads of the past is not interrupted by counts', async () => {
  for (const place of [{ view: 'alerts' }, { view: 'manage' }, { view: 'manage-lot', lotId: 'central' }, { view: 'import' }, { view: 'lot-history', lotId: 'central' }] as const) {
    at.place.value = place;
    expect(await next(), place.view).toBe('Live');
  }
});

test('an interruption is said with since when', () => {
  FakeSocket.last.end();
  expect(said.value).toMatch(/^The live connection was lost\. What you see is from \d\d:\d\d:\d\d/);
});
