// What the service worker answers with: from the network, or from what it has kept.

export interface Kept {
  /** The cache of this version. */
  readonly name: string;
  readonly page: string;
  /** The script by which the page of this version is known. */
  readonly entry: string;
  readonly files: readonly string[];
}

/** How long a page is waited for before the kept one is shown, in milliseconds. */
export const patience = 4_000;

/** Keeps the page and its files, all or none. A page of another version than the files, as while a platform is renewed, is not kept: it is tried again later. */
export async function keepsAll({ name, page, entry, files }: Kept, caches: CacheStorage, request: typeof fetch): Promise<void> {
  const answer = await request(page, { cache: 'no-cache' });
  if (!answer.ok || !(await answer.clone().text()).includes(entry)) throw new Error('The page is of another version.');
  const cache = await caches.open(name);
  await cache.addAll(files.map((file) => (file.startsWith('/assets/') ? file : new Request(file, { cache: 'no-cache' }))));
  await cache.put(page, answer);
}

/**
 * A page comes from the network whenever it can, so that an old one never lives on; without a network, or from a server that fails or takes too
 * long, it is the kept one. That one is what came last, also too late, as what the page may do is said beside it. Files whose names change with
 * their content are taken from what is kept, others as the page. lasting is told of work that goes on behind the answer.
 */
export async function answerOf(way: 'page' | 'asset' | 'file', request: Request, kept: Kept, caches: CacheStorage, fetched: () => Promise<Response>, lasting: (work: Promise<unknown>) => void): Promise<Response> {
  if (way === 'asset') return (await caches.match(request, { ignoreVary: true })) ?? keep(request, await fetched(), kept, caches);
  const old = () => caches.open(kept.name).then((cache) => cache.match(way === 'page' ? kept.page : request, { ignoreVary: true }));
  const fresh = fetched();
  lasting(fresh.then((answer) => (way === 'page' ? keepPage(answer.clone(), kept, caches) : undefined)).catch(() => undefined)); // it may fail after the kept one was taken
  const answer = await Promise.race([fresh.catch(() => undefined), after(way === 'page' ? patience : Infinity)]);
  if (answer && answer.status < 500) return answer;
  return (await old()) ?? answer ?? fresh;
}

/** Keeps a page of this version in place of the one before. */
async function keepPage(answer: Response, { name, page, entry }: Kept, caches: CacheStorage): Promise<void> {
  if (!answer.ok || !(await answer.clone().text()).includes(entry)) return; // of another version, or of another host
  const cache = await caches.open(name);
  await cache.put(page, answer);
}

/** Keeps a file that was too large to be kept before anybody wanted it. */
async function keep(request: Request, answer: Response, { name }: Kept, caches: CacheStorage): Promise<Response> {
  if (answer.ok) {
    const copy = answer.clone();
    const cache = await caches.open(name);
    await cache.put(request, copy).catch(() => undefined); // no room
  }
  return answer;
}

const after = (duration: number): Promise<undefined> => new Promise((resolve) => duration < Infinity && setTimeout(() => resolve(undefined), duration));
