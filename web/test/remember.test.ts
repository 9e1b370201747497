import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Api, nobody } from '../src/live/api';
import type { KeptLot, KeptState, Shelf } from '../src/live/last';
import { Session } from '../src/live/session';
import { pace, remember } from '../src/shell/remember';
import { address, FakeSocket, Socket } from './sockets';

const spot = { spotId: 'c-01', lotId: 'central', status: 'free', version: 1, changedAt: '2026-11-24T03:35:00Z' } as const;
const lot = { id: 'central', name: 'Central' };

class FakeShelf implements Shelf {
  readonly lots = new Map<string, KeptLot>();
  asOf: number | undefined;
  puts = 0;
  read = async (): Promise<KeptState | undefined> => (this.asOf === undefined ? undefined : { asOf: this.asOf, lots: [...this.lots.values()] });
  put = async (kept: KeptLot) => {
    this.puts++;
    this.lots.set(kept.lot.id, kept);
  };
  seal = async (asOf: number, lotIds: readonly string[]) => {
    this.asOf = asOf;
    for (const id of this.lots.keys()) if (!lotIds.includes(id)) this.lots.delete(id);
  };
  clear = async () => {
    this.lots.clear();
    this.asOf = undefined;
  };
}

let shelf: FakeShelf, session: Session, forget: () => void;
let reachable: boolean;
const isPublic = signal<boolean | undefined>(undefined);
const isWhole = signal(true);
let lots: (typeof lot)[];
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_000_000 });
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false, visibilityState: 'visible' }));
  vi.stubGlobal('requestAnimationFrame', (frame: () => void) => setTimeout(frame, 16));
  vi.stubGlobal('cancelAnimationFrame', clearTimeout);
  FakeSocket.made = [];
  shelf = new FakeShelf();
  isPublic.value = undefined;
  isWhole.value = true;
  lots = [lot];
});

afterEach(() => {
  forget();
  session.connection.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function begin(canBeReached: boolean): Promise<void> {
  reachable = canBeReached;
  const answer = async (asking: string) => {
    if (!reachable) throw new TypeError('no network');
    return Response.json(asking.includes('/spots') ? { items: [spot], after: 'now' } : { items: lots });
  };
  session = new Session(new Api(nobody, answer as typeof fetch), address, { Socket });
  forget = remember(session, shelf, isPublic, isWhole);
  void session.connection.run();
  await pass(0);
}

test('a live page keeps its state, writes only what has changed, and forgets lots that are gone', async () => {
  isPublic.value = true;
  shelf.lots.set('gone', { lot: { id: 'gone', name: 'Gone' }, spots: [], zones: [] });
  await begin(true);
  FakeSocket.last.open();
  await pass(pace.first + 100);
  expect(shelf.asOf).toBe(1_000_000 + pace.first);
  expect([...shelf.lots.values()]).toMatchObject([{ lot, spots: [spot] }]);
  expect(shelf.lots.get('central')!.spots[0], 'nothing of how it is drawn').toEqual(spot);
  for (let time = 0; time < pace.between; time += 10_000) {
    FakeSocket.last.heartbeat('later');
    await pass(10_000);
  }
  expect(shelf.puts).toBe(1);
  expect(shelf.asOf, 'it is known to be whole until then').toBe(1_000_000 + pace.first + pace.between);
});

test('a name that no count tells of is kept, and what could not be kept is kept the next time', async () => {
  isPublic.value = true;
  await begin(true);
  FakeSocket.last.open();
  const another = async () => {
    for (let time = 0; time < pace.between; time += 10_000) {
      FakeSocket.last.heartbeat('later');
      await pass(10_000);
    }
  };
  await pass(pace.first + 100);
  const { put } = shelf;
  shelf.put = async () => {
    throw new Error('there is no room');
  };
  session.parking.merge(lots, [{ ...spot, version: 2, name: 'By the door' }]);
  await another();
  expect(shelf.lots.get('central')!.spots[0]!.name).toBeUndefined();
  shelf.put = put;
  await another();
  expect(shelf.lots.get('central')!.spots).toEqual([{ ...spot, version: 2, name: 'By the door' }]);
  session.parking.merge([{ ...lot, name: 'Zentrum' }], []);
  await another();
  expect(shelf.lots.get('central')!.lot.name).toBe('Zentrum');
});

test('without a platform, what was kept is shown', async () => {
  shelf.lots.set('central', { lot, spots: [spot], zones: [] });
  shelf.asOf = 900_000;
  await begin(false);
  await pass(0);
  expect(session.loaded.value).toBe(true);
  expect(session.connection.asOf.value).toBe(900_000);
  expect(session.parking.total.value.free).toBe(1);
  expect(session.connection.state.value).not.toBe('open');
  const before = shelf.puts;
  await pass(pace.between);
  expect(shelf.puts, 'and it is not kept as if it were new').toBe(before);
});

test('what needs a sign-in is neither kept nor left', async () => {
  shelf.lots.set('central', { lot, spots: [spot], zones: [] });
  shelf.asOf = 900_000;
  isPublic.value = false;
  await begin(true);
  FakeSocket.last.open();
  await pass(pace.first + pace.between);
  expect([shelf.asOf, shelf.lots.size, shelf.puts]).toEqual([undefined, 0, 0]);
});

test('what somebody sees who is limited to some lots does not take the place of all', async () => {
  isPublic.value = true;
  isWhole.value = false;
  await begin(true);
  FakeSocket.last.open();
  await pass(pace.first + 100);
  expect(shelf.puts).toBe(0);
  isWhole.value = true;
  for (let time = 0; time < pace.between; time += 10_000) {
    FakeSocket.last.heartbeat('later');
    await pass(10_000);
  }
  expect(shelf.puts).toBe(1);
});

test.each([['central', 1], ['harbour', 2]])('what is kept is of one person, whole, and without what is only proposed: somebody signs in while %s is written', async (last, puts) => {
  isPublic.value = true;
  lots = [lot, { id: 'harbour', name: 'Harbour' }];
  await begin(true);
  FakeSocket.last.open();
  session.parking.propose('c-01', { status: 'closed' });
  const put = shelf.put;
  shelf.put = async (kept) => {
    await put(kept);
    if (kept.lot.id === last) session.restart();
  };
  await pass(pace.first + 100);
  expect([shelf.puts, shelf.asOf], 'not sealed').toEqual([puts, undefined]);
  expect(shelf.lots.get('central')!.spots).toEqual([spot]);
});
