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
 * long, it is the kept one. Files whose names change with their content are taken from what is kept, others as the page.
 */
export async function answerOf(way: 'page' | 'asset' | 'file', request: Request, kept: Kept, caches: CacheStorage, fetched: () => Promise<Response>): Promise<Response> {
  if (way === 'asset') return (await caches.match(request, { ignoreVary: true })) ?? keep(request, await fetched(), kept, caches);
  const old = () => caches.open(kept.name).then((cache) => cache.match(way === 'page' ? kept.page : request, { ignoreVary: true }));
  const fresh = fetched();
  fresh.catch(() => undefined); // it may fail after the kept one was taken
  const answer = await Promise.race([fresh.catch(() => undefined), after(way === 'page' ? patience : Infinity)]);
  if (answer && answer.status < 500) return answer;
  return (await old()) ?? answer ?? fresh;
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
