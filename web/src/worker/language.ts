// In which language the service worker speaks: as the page did that was open last. It has no other way to know what somebody has chosen there.
const store = 'parkwire-language'; // no version of the page: it outlives them, see tidy in worker.ts
const place = '/language';

/** What of the browser's caches is used here. */
export type Shelf = Pick<CacheStorage, 'open'>;

export async function keepLanguage(caches: Shelf, code: string): Promise<void> {
  await (await caches.open(store)).put(place, new Response(code));
}

/** Undefined: no page has said so, or nothing is kept. */
export async function keptLanguage(caches: Shelf): Promise<string | undefined> {
  return (await (await caches.open(store)).match(place))?.text();
}
