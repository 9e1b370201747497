import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Api, nobody } from '../src/live/api';
import { Session } from '../src/live/session';
import { address, FakeSocket, Socket } from './sockets';

const at = '2026-11-24T03:35:00.123Z';
const frames: (() => void)[] = [];
let session: Session;
let platform: { lots: { id: string; name: string }[]; spots: Record<string, unknown>[]; zones?: Record<string, { id: string; name: string }[]>; cursor: string; away?: RegExp | undefined };
let asked: string[];
let held: { readonly path: RegExp; readonly release: Promise<void> } | undefined; // answers that are on their way

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
  vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frames.push(frame));
  vi.stubGlobal('cancelAnimationFrame', () => (frames.length = 0));
  FakeSocket.made = [];
  frames.length = 0;
  asked = [];
  held = undefined;
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
  if (platform.away?.test(pathname)) throw new TypeError('no network');
  const made = answerTo(pathname, lot);
  if (held?.path.test(asking)) await held.release;
  return made;
}

function answerTo(pathname: string, lot: string | null): Response {
  const ofZones = /^\/api\/v1\/lots\/([^/]+)\/zones$/.exec(pathname);
  if (ofZones) return Response.json({ items: platform.zones?.[ofZones[1]!] ?? [] });
  if (pathname === '/api/v1/lots') return Response.json({ items: platform.lots });
  if (pathname === '/api/v1/spots') return Response.json({ items: platform.spots.filter((s) => !lot || s.lotId === lot), after: platform.cursor });
  return Response.json({ title: 'Not Found' }, { status: 404 });
}

test('events are shown together at the next frame, but not more often than anybody sees', async () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  FakeSocket.last.event(event('c-02', 2, 'closed', 'closed'));
  expect(session.parking.total.value.free).toBe(2);
  expect(frames).toHaveLength(1);
  paint();
  expect(session.parking.total.value).toMatchObject({ free: 0, occupied: 1, closed: 1 });
  expect(session.feed.past()).toHaveLength(2);
  FakeSocket.last.event(event('c-01', 3, 'free', 'released'));
  expect(frames).toHaveLength(0);
  await pass(100);
  FakeSocket.last.event(event('c-02', 3, 'free', 'reopened'));
  paint();
  expect(session.parking.total.value.free).toBe(2);
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

describe('the first state of thousands of spots', () => {
  const kept = { asOf: 1_000, lots: [{ lot: { id: 'central', name: 'Central' }, spots: [spot('c-1'), spot('gone')] as never, zones: [] }] };
  const totals = (of: Session) => [of.loaded.value, of.parking.total.value.total];
  let opening: Session;
  let seen: unknown[];

  beforeEach(async () => {
    vi.stubGlobal('document', { hidden: false });
    platform.spots = Array.from({ length: 5_000 }, (_, i) => spot(`c-${i}`));
    opening = new Session(new Api(nobody, answer as typeof fetch), address, { Socket });
    seen = [];
    opening.parking.total.subscribe(({ total }) => seen.push([opening.loaded.peek(), total]));
    void opening.connection.run();
    while (opening.parking.total.value.total === 0) await pass(0);
  });

  afterEach(() => opening.connection.stop());

  test('is taken over in turns, and shown when it is whole', async () => {
    await pass(100);
    expect(seen).toEqual([[false, 0], [false, 2_000], [false, 4_000], [false, 5_000]]);
    expect(totals(opening)).toEqual([true, 5_000]);
  });

  test('takes the place of what was kept, where that is shown meanwhile', async () => {
    opening.recall(kept);
    expect(totals(opening)).toEqual([true, 2]);
    await pass(100);
    expect(totals(opening)).toEqual([true, 5_000]);
    expect(opening.parking.spot('gone')).toBeUndefined();
    expect(opening.feed.past()).toMatchObject([{ kind: 'gap', since: 1_000 }]);
  });

  test('is not shown to somebody else who comes meanwhile', async () => {
    platform.spots = [spot('theirs')];
    opening.restart();
    await pass(100);
    expect(totals(opening)).toEqual([true, 1]);
  });
});

test('of thousands of events no more than some wait for a frame that does not come', () => {
  for (let version = 2; version <= 20_001; version++) FakeSocket.last.event(event('c-01', version, version % 2 ? 'free' : 'occupied', 'x'));
  expect(spots()['c-01']!.version).toBeGreaterThan(15_000);
  while (frames.length > 0) paint();
  expect(spots()['c-01'], 'and all are applied, in order').toMatchObject({ version: 20_001, status: 'free' });
});

test('a thousand changes at once are shown a part a frame, each part whole, and all within some frames', () => {
  for (let i = 0; i < 1_000; i++) FakeSocket.last.event(event(`s-${i}`, 1, 'free', 'added'));
  let before = session.parking.total.value.total;
  let parts = 0;
  for (; frames.length > 0; parts++) {
    paint();
    const { total, free } = session.parking.total.value;
    expect(total - before, 'not more than a frame has time for').toBeLessThanOrEqual(200);
    expect([free, [...session.parking.spotsOfLot('central')].length, session.feed.past().length], 'counts, spots and feed agree').toEqual([total, total, total - 2]);
    before = total;
  }
  expect([before, parts]).toEqual([1_002, 5]);
});

test('what gathered in a page that nobody sees is applied in one go', async () => {
  vi.stubGlobal('document', { hidden: true });
  for (let i = 0; i < 1_000; i++) FakeSocket.last.event(event(`s-${i}`, 1, 'free', 'added'));
  await pass(300);
  expect(session.parking.total.value.total).toBe(1_002);
});

test('a change shows itself with motion, but not in a storm', async () => {
  FakeSocket.last.event(event('c-01', 2, 'occupied', 'occupied'));
  paint();
  expect(spots()['c-01']!.pulse).toBe(1);
  for (let version = 3; version <= 100; version++) FakeSocket.last.event(event('c-01', version, version % 2 ? 'free' : 'occupied', 'x'));
  await pass(100);
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
  expect(asked, 'the state was loaded once more').toBe(12);
  other.connection.stop();
});

/** Holds back what is answered from now on to such requests. Returns what lets it come. */
function hold(path: RegExp): () => Promise<void> {
  let release = () => {};
  held = { path, release: new Promise((resolve) => (release = resolve)) };
  return async () => {
    held = undefined;
    release();
    await pass(0);
  };
}

/** A good minute in which nothing happens. */
async function idle(): Promise<void> {
  for (let seconds = 0; seconds < 70; seconds += 10) {
    FakeSocket.last.heartbeat('now');
    await pass(10_000);
  }
}

const zoneNames = () => session.parking.zonesOfLot('central').value.map(({ name }) => name);
const requests = (part: string) => asked.filter((each) => each.includes(part)).length;

describe('what events do not tell', () => {
  beforeEach(() => {
    platform.zones = { central: [{ id: 'z1', name: 'Level 1' }] };
  });

  test('is asked for once for all views, again where it did not come, and no more when nobody looks', async () => {
    platform.away = /zones/;
    const ends = [session.described.wantZones('central'), session.described.wantZones('central')];
    await pass(0);
    expect([requests('zones'), zoneNames()]).toEqual([1, []]);
    platform.away = undefined;
    await pass(2_000);
    expect([requests('zones'), zoneNames()]).toEqual([2, ['Level 1']]);
    platform.zones!.central = [{ id: 'z1', name: 'Ground' }];
    session.described.look();
    await pass(0);
    expect(requests('zones'), 'it is not old yet').toBe(2);
    await idle();
    session.described.look();
    await pass(0);
    expect(zoneNames(), 'somebody else has renamed it').toEqual(['Ground']);
    for (const end of ends) end();
    await idle();
    session.described.look();
    expect(requests('zones')).toBe(3);
  });

  test('is asked for once of lots that come in sight and leave it all the time', async () => {
    session.described.wantZones('central', Infinity)();
    await pass(0);
    await idle();
    session.described.wantZones('central', Infinity);
    await pass(0);
    expect([requests('zones'), zoneNames()]).toEqual([1, ['Level 1']]);
    session.described.look();
    await pass(0);
    expect(requests('zones'), 'and again where somebody looks').toBe(2);
  });

  test('is asked for when a spot names a zone that nobody knows', async () => {
    session.described.wantZones('central');
    await pass(0);
    platform.zones!.central!.push({ id: 'z2', name: 'Level 2' });
    platform.spots[0] = spot('c-01', { version: 2, zoneId: 'z2' });
    FakeSocket.last.event(event('c-01', 2, 'free', 'edited', { zoneId: 'z2' }));
    paint();
    await pass(500);
    expect(zoneNames()).toEqual(['Level 1', 'Level 2']);
  });

  test('is asked for again of lots that others have changed, when somebody looks and when the connection is there again', async () => {
    platform.lots = [{ id: 'central', name: 'Renamed' }, { id: 'empty', name: 'Empty' }];
    await idle();
    session.described.look();
    await pass(0);
    expect(session.parking.lots.value.map(({ name }) => name)).toEqual(['Empty', 'Renamed']);
    platform.lots.pop();
    FakeSocket.last.end();
    await pass(1_000);
    FakeSocket.last.open();
    await pass(0);
    expect(session.parking.lots.value.map(({ name }) => name)).toEqual(['Renamed']);
  });

  test('is not what an answer says that was asked for before something was done here', async () => {
    const release = hold(/lots\?/);
    void session.described.fetchLots();
    await pass(0);
    platform.lots = [{ id: 'central', name: 'Mine' }];
    session.parking.proposeLot('central', { id: 'central', name: 'Mine' }).settle({ id: 'central', name: 'Mine' });
    await release();
    await pass(0);
    expect(session.parking.lots.value.map(({ name }) => name)).toEqual(['Mine']);
    expect(requests('/lots?'), 'it was asked for anew').toBe(3);
  });

  test('is fetched of everything where events were left out', async () => {
    platform.spots[0] = spot('c-01', { name: 'One', version: 3, status: 'occupied' });
    platform.spots.push(spot('c-03', { version: 2, status: 'closed' }));
    FakeSocket.last.say({ type: 'Conflated', after: 'now', omitted: 2 });
    FakeSocket.last.event(event('c-01', 3, 'occupied', 'occupied')); // the one before, which renamed it, is left out
    FakeSocket.last.event(event('c-03', 2, 'closed', 'closed')); // as is the one that added it
    paint();
    await pass(11_000);
    expect(spots()).toMatchObject({ 'c-01': { name: 'One', status: 'occupied' }, 'c-03': { status: 'closed' } });
    expect(session.parking.total.value.total).toBe(3);
  });

  test('does not bring back what was removed before the state was loaded anew', async () => {
    FakeSocket.last.event(event('c-02', 2, 'free', 'edited'));
    paint();
    const release = hold(/lot=central/);
    await pass(500);
    platform.spots = [spot('c-01', { version: 4 })];
    FakeSocket.last.expire();
    await pass(1_000);
    await release();
    expect(Object.keys(spots())).toEqual(['c-01']);
  });
});

test('what was asked for by the one before is not shown to the next: lots, zones, and what events do not tell', async () => {
  platform.zones = { central: [{ id: 'z1', name: 'Level 1' }] };
  FakeSocket.last.event(event('c-01', 2, 'free', 'edited'));
  paint();
  const release = hold(/lots|lot=/);
  void session.described.fetchLots();
  void session.described.fetchZones('central');
  await pass(500);
  const asking = asked.length;
  session.restart();
  platform = { lots: [], spots: [], cursor: 'later' };
  const load = hold(/spots/);
  await release();
  expect([session.parking.lots.value, session.parking.total.value.total, zoneNames()], 'before the state of the next is there').toEqual([[], 0, []]);
  await load();
  await pass(1_000);
  expect(asking).toBeGreaterThan(4);
  expect([session.parking.lots.value, session.parking.total.value.total, zoneNames()]).toEqual([[], 0, []]);
});
