import { beforeEach, describe, expect, test, vi } from 'vitest';
import { nextTurn } from '../src/shell/turns';
import { isNewer } from '../src/shell/version';
import { answerOf, keepsAll, patience, type Kept } from '../src/worker/answers';

const host = 'http://host';
const kept: Kept = { name: 'parkwire 2', page: '/', entry: '/assets/index-2.js', files: ['/assets/index-2.js', '/favicon.svg'] };
const addressOf = (request: RequestInfo | URL) => (request instanceof Request ? new URL(request.url).pathname : String(request));

/** As much of the browser's caches as the worker uses. */
class FakeCaches {
  readonly kept = new Map<string, Map<string, string>>();
  fetched: (path: string) => Response = (path) => new Response(`of the network: ${path}`);
  async open(name: string) {
    const its = this.kept.get(name) ?? new Map<string, string>();
    this.kept.set(name, its);
    return {
      match: async (request: RequestInfo) => (its.has(addressOf(request)) ? new Response(its.get(addressOf(request))) : undefined),
      put: async (request: RequestInfo, response: Response) => void its.set(addressOf(request), await response.text()),
      addAll: async (requests: RequestInfo[]) => {
        for (const request of requests) its.set(addressOf(request), await this.fetched(addressOf(request)).text());
      },
    };
  }
  async match(request: RequestInfo) {
    for (const its of this.kept.values()) if (its.has(addressOf(request))) return new Response(its.get(addressOf(request)));
    return undefined;
  }
}

let caches: FakeCaches;
const storage = () => caches as unknown as CacheStorage;
let behind: Promise<unknown>; // work that goes on behind the answer
const answer = async (way: 'page' | 'asset' | 'file', path: string, fetched: () => Promise<Response>) =>
  (await answerOf(way, new Request(host + path), kept, storage(), fetched, (work) => (behind = work))).text();
const offline = () => Promise.reject<Response>(new TypeError('no network'));
const online = async () => new Response('new');

beforeEach(async () => {
  caches = new FakeCaches();
  await (await caches.open(kept.name)).put('/', new Response('kept page'));
});

describe('a page', () => {
  test('comes from the network whenever it can, so that an old one does not live on', async () => {
    expect(await answer('page', '/lots/central', online)).toBe('new');
    expect(await answer('page', '/', async () => new Response('sign in', { status: 403 })), 'also a refusal').toBe('sign in');
  });

  test('is the kept one without a network, from a server that fails, and from one that takes too long', async () => {
    expect(await answer('page', '/lots/central', offline)).toBe('kept page');
    expect(await answer('page', '/', async () => new Response('bad gateway', { status: 502 }))).toBe('kept page');
    vi.useFakeTimers();
    const late = answer('page', '/', () => new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(patience);
    expect(await late).toBe('kept page');
    vi.useRealTimers();
  });

  test('of this version takes the place of the kept one, also when it comes too late: what it may do is said beside it', async () => {
    const page = '<script src="/assets/index-2.js">';
    const keptNow = () => caches.kept.get(kept.name)!.get('/');
    await answer('page', '/lots/central', async () => new Response(page));
    await behind;
    expect(keptNow()).toBe(page);
    for (const other of [new Response('<script src="/assets/index-3.js">'), new Response('Sign in to the hotel network'), new Response(`error ${page}`, { status: 503 })]) {
      await answer('page', '/', async () => other);
      await behind;
      expect(keptNow(), 'another version, another host, or no page').toBe(page);
    }
    vi.useFakeTimers();
    let come = (_: Response) => {};
    const late = answer('page', '/', () => new Promise((resolve) => (come = resolve)));
    await vi.advanceTimersByTimeAsync(patience);
    expect(await late).toBe(page);
    come(new Response(`${page} later`));
    await behind;
    expect(keptNow()).toBe(`${page} later`);
    vi.useRealTimers();
  });

  test('that is not kept fails as it would without a service worker', async () => {
    caches.kept.clear();
    await expect(answer('page', '/', offline)).rejects.toThrow('no network');
    expect(await answer('page', '/', async () => new Response('bad gateway', { status: 502 }))).toBe('bad gateway');
  });
});

test('a file whose name changes with its content is taken from any version that is kept, and kept when it was not', async () => {
  await (await caches.open('parkwire 1')).put('/assets/map-1.js', new Response('old map'));
  expect(await answer('asset', '/assets/map-1.js', offline)).toBe('old map');
  expect(await answer('asset', '/assets/map-2.js', online)).toBe('new');
  expect(await answer('asset', '/assets/map-2.js', offline)).toBe('new');
  await answer('asset', '/assets/gone.js', async () => new Response('', { status: 404 }));
  expect(caches.kept.get(kept.name)!.has('/assets/gone.js')).toBe(false);
});

test('a version is kept whole, or not at all', async () => {
  const page = (text: string) => (async () => new Response(text)) as typeof fetch;
  caches.kept.clear();
  await expect(keepsAll(kept, storage(), page('<script src="/assets/index-1.js">'))).rejects.toThrow('another version');
  expect(caches.kept.size).toBe(0);
  await keepsAll({ ...kept, files: ['/assets/index-2.js'] }, storage(), page('<script src="/assets/index-2.js">'));
  expect([...caches.kept.get(kept.name)!.keys()]).toEqual(['/assets/index-2.js', '/']);
});

test('a newer page is known by its script', () => {
  const page = '<script type="module" crossorigin src="/assets/index-2.js"></script>';
  expect(isNewer(page, '/assets/index-1.js')).toBe(true);
  expect(isNewer(page, '/assets/index-2.js')).toBe(false);
  expect(isNewer('<h1>Sign in to the hotel network</h1>', '/assets/index-1.js'), 'no page of Parkwire').toBe(false);
});

test('a wall display shows by turns what does not fit', () => {
  const part = (scrollTop: number) => nextTurn({ scrollTop, clientHeight: 100, scrollHeight: 250 });
  expect([part(0), part(90), part(150)]).toEqual([90, 150, 0]);
  expect(nextTurn({ scrollTop: 0, clientHeight: 100, scrollHeight: 100 })).toBe(0);
});
