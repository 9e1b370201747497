import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Api, nobody } from '../src/live/api';
import { Session } from '../src/live/session';
import { address, FakeSocket, Socket } from './sockets';

const at = '2026-11-24T03:35:00.123Z';
const frames: (() => void)[] = [];
let session: Session;
let platform: { lots: { id: string; name: string }[]; spots: Record<string, unknown>[]; cursor: string };
let asked: string[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frames.push(frame));
  vi.stubGlobal('cancelAnimationFrame', () => (frames.length = 0));
  FakeSocket.made = [];
  frames.length = 0;
  asked = [];
  platform = { lots: [{ id: 'central', name: 'Central' }], spots: [spot('c-01'), spot('c-02')], cursor: 'now' };
  session = new Session(new Api(nobody, answer as typeof fetch), address, { Socket });
  void session.connection.run();
  await pass(0);
  FakeSocket.last.open();
});

afterEach(() => {
  session.connection.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const spot = (spotId: string, more = {}) => ({ spotId, lotId: 'central', status: 'free', version: 1, changedAt: at, ...more });
const event = (spotId: string, version: number, status: string, change: string, more = {}) => ({
  spotId, version, status, change, timestamp: at, lotId: 'central', cursor: `${spotId}@${version}`, ...more,
});
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const paint = () => frames.splice(0).forEach((frame) => frame());
const spots = () => Object.fromEntries([...session.parking.spotsOfLot('central')].map((cell) => [cell.peek().spotId, cell.peek()]));

async function answer(asking: string): Promise<Response> {
  asked.push(asking);
  const { pathname, searchParams } = new URL(asking, 'http://host');
  const lot = searchParams.get('lot');
  if (pathname === '/api/v1/lots') return Response.json({ items: platform.lots });
  if (pathname === '/api/v1/spots') return Response.json({ items: platform.spots.filter((s) => !lot || s.lotId === lot), after: platform.cursor });
  return Response.json({ title: 'Not Found' }, { status: 404 });
}

test('events are shown together at the next frame', () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  FakeSocket.last.event(event('c-02', 2, 'closed', 'closed'));
  expect(session.parking.total.value.free).toBe(2);
  expect(frames).toHaveLength(1);
  paint();
  expect(session.parking.total.value).toMatchObject({ free: 0, occupied: 1, closed: 1 });
  expect(session.feed.past()).toHaveLength(2);
});

test('where no frames are painted they are applied all the same', async () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  await pass(300);
  expect(session.parking.total.value.free).toBe(1);
  expect(frames, 'and the frame that was asked for is not').toHaveLength(0);
});

test('a new lot is fetched once for all its events, with the names that events do not tell', async () => {
  asked.length = 0;
  platform.lots.push({ id: 'new', name: 'New Lot' });
  for (let i = 0; i < 50; i++) {
    platform.spots.push(spot(`n-${i}`, { lotId: 'new', name: `Bay ${i}` }));
    FakeSocket.last.event(event(`n-${i}`, 1, 'free', 'added', { lotId: 'new' }));
  }
  paint();
  expect(session.parking.countsOfLot('new').value.total, 'it counts at once').toBe(50);
  await pass(500);
  expect(asked.filter((address) => address.startsWith('/api/v1/lots'))).toHaveLength(1);
  expect(asked.filter((address) => address.includes('lot=new'))).toHaveLength(1);
  expect(session.parking.lots.value.map((lot) => lot.name)).toEqual(['Central', 'New Lot']);
  expect([...session.parking.spotsOfLot('new')].map((cell) => cell.peek().name)).toContain('Bay 49');
});

test('resumed after a loss it has what happened meanwhile, without loading again', async () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  FakeSocket.last.end();
  asked.length = 0;
  await pass(1_000);
  FakeSocket.last.open();
  expect(FakeSocket.last.after).toBe('c-01@2');
  FakeSocket.last.event(event('c-02', 2, 'reserved', 'reserved'));
  paint();
  expect(spots()).toMatchObject({ 'c-01': { status: 'occupied' }, 'c-02': { status: 'reserved' } });
  expect(session.feed.past().map((item) => item.kind)).toEqual(['change', 'change']);
  await pass(0);
  expect(asked, 'only the lots, which change without events').toEqual(['/api/v1/lots?limit=5000']);
});

test('with an expired cursor it loads the state, and the feed admits the gap', async () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  platform.spots = [spot('c-01', { version: 9, status: 'closed' })];
  FakeSocket.last.expire();
  await pass(1_000);
  expect(spots()).toMatchObject({ 'c-01': { status: 'closed', version: 9 } });
  expect(session.parking.total.value).toMatchObject({ total: 1, closed: 1 });
  expect(session.feed.past().map((item) => item.kind)).toEqual(['gap', 'change']);
});

test('what was kept of an earlier visit is shown until the platform answers, and then only what it says', async () => {
  let reply: (answer: Response) => void = () => {};
  const slow = ((asking: string) => (asking.includes('/spots') ? new Promise<Response>((resolve) => (reply = resolve)) : answer(asking))) as typeof fetch;
  const later = new Session(new Api(nobody, slow), address, { Socket });
  void later.connection.run();
  await pass(0);
  const lot = { id: 'central', name: 'Central' };
  const kept = { lot, spots: [spot('c-01', { status: 'occupied' }), spot('c-09')] as never, zones: [{ id: 'z', lotId: 'central', name: 'Level 1' }] };
  later.recall({ asOf: 1_000, lots: [kept] });
  expect(later.loaded.value).toBe(true);
  expect(later.parking.total.value).toMatchObject({ total: 2, occupied: 1 });
  expect(later.parking.zonesOfLot('central').value).toHaveLength(1);
  expect([later.connection.state.value, later.connection.asOf.value]).toEqual(['connecting', 1_000]);
  reply(Response.json({ items: platform.spots, after: 'now' }));
  await pass(0);
  expect(later.parking.total.value).toMatchObject({ total: 2, free: 2 });
  expect(later.feed.past()).toMatchObject([{ kind: 'gap', since: 1_000 }]);
  later.recall({ asOf: 1_000, lots: [kept] });
  expect(later.parking.total.value, 'what is there is newer').toMatchObject({ free: 2 });
  later.connection.stop();
});

test('a burst of thousands of events is applied without waiting for a frame', () => {
  for (let version = 2; version <= 5_001; version++) FakeSocket.last.event(event('c-01', version, version % 2 ? 'free' : 'occupied', 'x'));
  expect(spots()['c-01']).toMatchObject({ version: 5_001 });
});

test('a change shows itself with motion, but not in a storm', async () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  paint();
  expect(spots()['c-01']!.pulse).toBe(1);
  for (let version = 3; version <= 100; version++) FakeSocket.last.event(event('c-01', version, version % 2 ? 'free' : 'occupied', 'x'));
  paint();
  expect(spots()['c-01']!.pulse).toBe(1);
  await pass(3_000);
  FakeSocket.last.event(event('c-01', 101, 'free', 'released'));
  paint();
  expect(spots()['c-01']!.pulse).toBe(2);
});

test('for somebody else everything is forgotten, and begins again', async () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  paint();
  const before = FakeSocket.last;
  platform = { lots: [{ id: 'harbour', name: 'Harbour' }], spots: [spot('h-01', { lotId: 'harbour' })], cursor: 'later' };
  session.restart();
  expect([session.loaded.value, session.parking.lots.value, session.feed.past()]).toEqual([false, [], []]);
  expect(before.closed).toBe(true);
  await pass(1_000);
  FakeSocket.last.open();
  expect(FakeSocket.last.after).toBe('later');
  expect(session.parking.lots.value.map(({ id }) => id)).toEqual(['harbour']);
  expect(session.parking.total.value.total).toBe(1);
  FakeSocket.last.event(event('h-01', 2, 'occupied', 'occupied', { lotId: 'harbour' }));
  paint();
  expect(session.feed.past()).toHaveLength(1);
});

test('what was loaded for the one before is not shown to the next', async () => {
  let arrived = () => {};
  const waiting = new Promise<void>((resolve) => (arrived = resolve));
  let asked = 0;
  const slow = async (address: string) => {
    if (++asked === 1) await waiting;
    return answer(address);
  };
  const other = new Session(new Api(nobody, slow as typeof fetch), address, { Socket });
  void other.connection.run();
  await pass(0);
  other.restart();
  platform = { lots: [], spots: [], cursor: 'later' };
  asked = 10;
  arrived();
  await pass(1_000);
  expect(other.loaded.value).toBe(true);
  expect(asked, 'the state was loaded once more').toBeGreaterThan(12);
  other.connection.stop();
});
