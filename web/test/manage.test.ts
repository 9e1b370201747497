// What operators do: what is offered, what it leads to, and how it is asked of the platform.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Api, nobody } from '../src/live/api';
import { ProblemError } from '../src/live/http';
import type { Session } from '../src/live/session';
import { Parking } from '../src/live/parking';
import { Rows } from '../src/table/rows';
import type { Spot } from '../src/live/wire';
import { actionsOf, addSpots, outcome, perform, removeSpot, statusOf } from '../src/manage/acting';
import { ManageApi } from '../src/manage/api';
import { bulkOf, forEach } from '../src/manage/bulk';
import { viewOf } from '../src/manage/choose';
import { sourceOf } from '../src/manage/files';
import { SpotImport } from '../src/manage/importing';
import type { SpotDetails } from '../src/manage/wire';

const spot = (spotId: string, more: Partial<SpotDetails> = {}): SpotDetails => ({
  spotId, lotId: 'central', status: 'free', version: 1, changedAt: '2026-11-24T03:35:00.123Z', occupancy: 'free', closed: false, faulted: false, ...more,
});
const reservation = { reservedAt: '2026-11-24T03:35:00.123Z' };

describe('what an act leads to', () => {
  test('follows from all that is known of the spot', () => {
    const behind = spot('c-01', { closed: true, faulted: true, occupancy: 'occupied', reservation });
    expect(statusOf(behind)).toBe('closed');
    expect(outcome({ action: 'reopen' }, 'closed', behind)).toBe('out_of_service');
    expect(outcome({ action: 'repair' }, 'out_of_service', { ...behind, closed: false })).toBe('occupied');
    expect(outcome({ action: 'release' }, 'occupied', spot('c-01', { occupancy: 'occupied', reservation }))).toBe('reserved');
    expect(outcome({ action: 'reserve' }, 'free', spot('c-01'))).toBe('reserved');
    expect(outcome({ action: 'end_reservation' }, 'reserved', spot('c-01', { reservation }))).toBe('free');
  });

  test('is not guessed where the status alone does not tell', () => {
    expect(outcome({ action: 'reopen' }, 'closed')).toBeUndefined();
    expect(outcome({ action: 'repair' }, 'out_of_service')).toBeUndefined();
    expect(outcome({ action: 'occupy' }, 'free')).toBe('occupied');
  });

  test('is offered where the platform allows it', () => {
    expect(actionsOf('closed')).toEqual(['reopen']);
    expect(actionsOf('closed', spot('c-01', { closed: true, faulted: true }))).toEqual(['reopen', 'repair']);
    expect(actionsOf('occupied', spot('c-01', { occupancy: 'occupied', reservation }))).toContain('end_reservation');
  });
});

let asked: { method: string; path: string; key: string | null; body: unknown }[];
let answers: (() => Response | Promise<Response>)[];

beforeEach(() => {
  asked = [];
  answers = [];
});

const request = (async (path: string, init: RequestInit) => {
  asked.push({ method: init.method!, path, key: new Headers(init.headers).get('idempotency-key'), body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined });
  return (answers.shift() ?? (() => Response.json({ title: 'Not Found', status: 404 }, { status: 404 })))();
}) as typeof fetch;
const refusal = (status: number, more = {}) => () => Response.json({ title: 'Refused', status, detail: 'It is closed.', ...more }, { status, headers: { 'content-type': 'application/problem+json' } });
const rest = new Api(nobody, request);

function session(...spots: Spot[]): Session {
  const parking = new Parking();
  parking.load([{ id: 'central', name: 'Central' }], spots);
  return { api: rest, parking } as unknown as Session;
}

const shown = ({ parking }: Session) => [...parking.spotsOfLot('central')].map((cell) => `${cell.peek().spotId} ${cell.peek().status}`);

describe('an act', () => {
  test('is shown while it is asked for, and after', async () => {
    const its = session(spot('c-01'));
    answers = [() => Response.json(spot('c-01', { status: 'occupied', occupancy: 'occupied', version: 2 }))];
    const doing = perform(its, spot('c-01'), { action: 'occupy' });
    expect(shown(its)).toEqual(['c-01 occupied']);
    expect(await doing).toBeUndefined();
    expect(shown(its)).toEqual(['c-01 occupied']);
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/api/v1/spots/c-01/occupy' });
  });

  test('that is refused is taken back, with the reason', async () => {
    const its = session(spot('c-01'));
    answers = [refusal(409, { type: 'urn:parkwire:problem:transition-refused' })];
    expect(await perform(its, spot('c-01'), { action: 'occupy' })).toMatchObject({ status: 409, detail: 'It is closed.' });
    expect(shown(its)).toEqual(['c-01 free']);
    expect(asked, 'and is not sent again').toHaveLength(1);
  });

  test('of reserving says for whom and until when', async () => {
    const its = session(spot('c/01'));
    answers = [() => Response.json(spot('c/01', { status: 'reserved', reservation, version: 2 }))];
    await perform(its, spot('c/01'), { action: 'reserve', reference: 'order-1', until: '2026-11-24T05:00:00Z' });
    expect(asked[0]).toMatchObject({ method: 'PUT', path: '/api/v1/spots/c%2F01/reservation', body: { reference: 'order-1', until: '2026-11-24T05:00:00Z' } });
  });

  test('that brings or takes a spot is shown too', async () => {
    const its = session(spot('c-01'));
    answers = [refusal(409)];
    const adding = addSpots(its, 'central', [{ spotId: 'c-02', category: 'standard', status: 'free' }]);
    expect(shown(its)).toEqual(['c-01 free', 'c-02 free']);
    expect(await adding).toMatchObject({ status: 409 });
    expect(shown(its)).toEqual(['c-01 free']);
    answers = [() => new Response(null, { status: 204 })];
    expect(await removeSpot(its, 'c-01')).toBeUndefined();
    expect(shown(its)).toEqual([]);
  });
});

describe('what is asked once', () => {
  const waits: number[] = [];
  const api = new ManageApi(rest, async (duration) => void waits.push(duration));

  test('is asked again under the same key where no answer came', async () => {
    answers = [() => Promise.reject(new TypeError('lost')), refusal(503), () => Response.json({ id: 'harbour', name: 'Harbour' })];
    expect(await api.addLot({ id: 'harbour', name: 'Harbour' })).toMatchObject({ id: 'harbour' });
    expect(asked.map(({ key }) => key)).toEqual(Array(3).fill(asked[0]!.key));
    expect(asked[0]!.key).toMatch(/^[0-9a-f]{32}$/);
    answers = [() => Response.json({})];
    await api.addLot({ id: 'x', name: 'X' });
    expect(asked[3]!.key, 'and something else under another').not.toBe(asked[0]!.key);
  });

  test('goes with the mark of what was read, also where a proxy has weakened it', async () => {
    answers = [() => Response.json({ id: 'central', name: 'Central' }, { headers: { etag: 'W/"7"' } })];
    expect((await api.lot('central')).etag).toBe('"7"');
  });

  test('of a removal: gone at the second time is gone by the first, of which the answer was lost', async () => {
    const gone = () => Response.json({ title: 'Not Found', status: 404 }, { status: 404 });
    for (const remove of [() => api.removeSpot('c-01'), () => api.removeZone('central', 'z'), () => api.removeLot('central')]) {
      answers = [() => Promise.reject(new TypeError('lost')), gone];
      await expect(remove()).resolves.toBeUndefined();
      answers = [gone];
      await expect(remove(), 'but not at the first').rejects.toMatchObject({ problem: { status: 404 } });
    }
  });

  test('is not asked again for somebody else', async () => {
    let subject = 'otto';
    const its = new ManageApi(new Api({ ...nobody, who: () => subject }, request), async () => void (subject = 'rea'));
    answers = [refusal(503), () => Response.json({})];
    await expect(its.act('c-01', { action: 'close' })).rejects.toMatchObject({ problem: { status: 503 } });
    expect(asked).toHaveLength(1);
  });

  test('is given up in the end', async () => {
    answers = Array(9).fill(refusal(503));
    await expect(api.addLot({})).rejects.toThrow(ProblemError);
    expect(asked.length).toBeLessThan(6);
  });
});

test('many things are done a few at a time, and what is refused keeps nobody back', async () => {
  let together = 0;
  let most = 0;
  const told: number[] = [];
  const refused = await forEach(Array.from({ length: 20 }, (_, i) => i), async (i) => {
    most = Math.max(most, ++together);
    await Promise.resolve();
    together--;
    return i % 7 === 3 ? { title: `not ${i}` } : undefined;
  }, (done) => told.push(done));
  expect(refused.map(({ item }) => item)).toEqual([3, 10, 17]);
  expect([most, told.at(-1)]).toEqual([6, 20]);
});

describe('what is done to many spots', () => {
  const leave = vi.fn();
  beforeEach(() => {
    leave.mockClear();
    vi.stubGlobal('addEventListener', (type: string, listener: () => void) => leave('on', type, listener));
    vi.stubGlobal('removeEventListener', (type: string) => leave('off', type));
  });
  afterEach(() => vi.unstubAllGlobals());
  const many = Array.from({ length: 20 }, (_, i) => spot(`c-${i}`));
  const its = () => Object.assign(session(...many), { era: 1 }) as Session & { era: number };
  const states = ({ parking }: Session) => [...parking.spotsOfLot('central')].map((cell) => cell.peek());

  test('goes on while other views are looked at, and what became of it is there when one comes back', async () => {
    const on = its();
    const done = bulkOf(on, 'central').run(states(on), async ({ spotId }) => (spotId === 'c-3' ? { title: 'no' } : undefined));
    expect(bulkOf(on, 'central').progress.value).toEqual({ done: 0, total: 20 });
    expect(await bulkOf(on, 'central').run(states(on), async () => undefined), 'one thing at a time').toBeUndefined();
    await done;
    expect(bulkOf(on, 'central')).toMatchObject({ progress: { value: undefined }, outcome: { value: { changed: 19, left: [], refused: [{ item: { spotId: 'c-3' } }] } } });
    expect(leave.mock.calls.map(([what, type]) => `${what} ${type}`), 'the browser asks before it ends it').toEqual(['on beforeunload', 'off beforeunload']);
  });

  test('takes those away from the ones that are picked, whatever else is looked at or picked meanwhile, and leaves the others', async () => {
    const on = its();
    bulkOf(on, 'central').picked.value = new Set(['c-1', 'c-2', 'c-3', 'c-4', 'gone']);
    const of = states(on).filter(({ spotId }) => ['c-1', 'c-2', 'c-3'].includes(spotId));
    await bulkOf(on, 'central').run(of, async ({ spotId }) => {
      bulkOf(on, 'central').picked.value = new Set([...bulkOf(on, 'central').picked.value, 'c-5']);
      return spotId === 'c-2' ? { title: 'no' } : undefined;
    });
    expect([...bulkOf(on, 'central').picked.value]).toEqual(['c-2', 'c-4', 'c-5']);
  });

  test('is stopped, and says what was left', async () => {
    const on = its();
    const bulk = bulkOf(on, 'central');
    const outcome = await bulk.run(states(on), async ({ spotId }) => void (spotId === 'c-7' && bulk.stop()));
    expect(outcome!.changed + outcome!.left.length).toBe(20);
    expect(outcome!.left.map(({ spotId }) => spotId)).toContain('c-19');
  });

  test('ends with the one who asked for it', async () => {
    const on = its();
    const begun: string[] = [];
    await bulkOf(on, 'central').run(states(on), async ({ spotId }) => {
      begun.push(spotId);
      if (spotId === 'c-7') on.era++;
      return undefined;
    });
    expect(begun).not.toContain('c-19');
    expect(bulkOf(on, 'central').outcome.value, 'and the next one sees nothing of it').toBeUndefined();
  });

  test('is done to each as it is by then', async () => {
    const on = its();
    const seen: string[] = [];
    await bulkOf(on, 'central').run(states(on), async ({ spotId, status }) => {
      if (spotId === 'c-0') on.parking.apply([{ spotId: 'c-19', version: 2, status: 'closed', change: 'closed', timestamp: '', lotId: 'central' }]);
      seen.push(`${spotId} ${status}`);
      return undefined;
    });
    expect(seen).toContain('c-19 closed');
  });
});

describe('a file', () => {
  const file = (text: string) => sourceOf('', text);
  const report = (added: number) => ({ dryRun: true, added, changed: 0, unchanged: 0, rejected: 0, zonesAdded: [], columns: [], errors: [] });
  let release: (() => void) | undefined;
  let wants: string[];
  let refuses: boolean;
  const task = () => {
    [wants, refuses, release] = [[], false, undefined];
    const rest = new Api(nobody, (async (path: string, init: RequestInit) => {
      const { pathname, searchParams } = new URL(path, 'http://host');
      if (!pathname.endsWith(':import')) return Response.json({ items: [] });
      wants.push(`${pathname.split('/')[4]} ${init.body as string} ${searchParams.has('dryRun') ? 'looked at' : 'done'}`);
      if (!searchParams.has('dryRun')) await new Promise<void>((resolve) => (release = resolve));
      return refuses && !searchParams.has('dryRun') ? Response.json({ title: 'no' }, { status: 409 }) : Response.json(report(1));
    }) as typeof fetch);
    return new SpotImport({ api: rest, parking: new Parking(), described: { fetchZones: async () => undefined } } as unknown as Session);
  };

  test('is imported as it was looked at, whatever is chosen meanwhile, and its result says of which lot it is', async () => {
    const its = task();
    const end = its.follow();
    its.file.value = file('one');
    its.lotId.value = 'central';
    await vi.waitUntil(() => its.ready);
    const done = its.run();
    await vi.waitUntil(() => release);
    its.lotId.value = 'harbour';
    its.file.value = file('two');
    expect(its.busy, 'it is not forgotten that it goes on').toBe('importing');
    release!();
    await done;
    expect(its.result).toMatchObject({ added: 1, lotId: 'central' });
    expect(wants.filter((each) => !each.includes('looked'))).toEqual(['central one done']);
    its.file.value = file('three');
    await vi.waitUntil(() => its.ready);
    expect([its.result, wants.at(-1)]).toEqual([undefined, 'harbour three looked at']);
    end();
  });

  test('that was refused after something else was chosen is looked at anew', async () => {
    const its = task();
    const end = its.follow();
    its.file.value = file('one');
    its.lotId.value = 'central';
    await vi.waitUntil(() => its.ready);
    const done = its.run();
    await vi.waitUntil(() => release);
    its.lotId.value = 'harbour';
    refuses = true;
    release!();
    await done;
    await vi.waitUntil(() => its.ready);
    expect(its.preview!.choice.lotId).toBe('harbour');
    end();
  });
});

test('spots are found by name, zone and status, in the order that people expect', () => {
  const parking = new Parking();
  parking.load([{ id: 'central', name: 'Central' }], [spot('A-10', { zoneId: 'z1' }), spot('A-9', { zoneId: 'z1', status: 'occupied' }), spot('x', { name: 'a-1' })]);
  const found = (search: string, zone: string, status: string) => new Rows(parking).find(viewOf('central', { search, zone, status })).cells.map((cell) => cell.peek().spotId);
  expect(found('', '', '')).toEqual(['x', 'A-9', 'A-10']);
  expect(found(' a-1', '', '')).toEqual(['x', 'A-10']);
  expect([found('', 'z1', 'occupied'), found('', '-', '')]).toEqual([['A-9'], ['x']]);
});
