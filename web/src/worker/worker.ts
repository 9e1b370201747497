// The service worker: it keeps the files of the page, so that it opens without a network, and passes on what is pushed.
// What the platform answers it never keeps; the last state is kept by the page itself, see shell/last.ts.
import { parse } from '../ui/places';
import { answerOf, keepsAll, type Kept } from './answers';
import { receivePush } from './push';

declare const __VERSION__: string;
declare const __ENTRY__: string;
declare const __FILES__: readonly string[];

const worker = self as unknown as ServiceWorkerGlobalScope;
const prefix = 'parkwire ';
const kept: Kept = { name: prefix + __VERSION__, page: '/', entry: __ENTRY__, files: __FILES__ };

receivePush(worker);

worker.addEventListener('install', (event) => {
  // The next version need not wait for the old one's pages: each page is fetched anew when it is opened, whichever worker there is.
  event.waitUntil(keepsAll(kept, caches, fetch).then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    Promise.all([tidy(), worker.registration.navigationPreload?.enable()]).then(() => worker.clients.claim()),
  );
});

/** Only the version before this one stays: its pages may still be open, and lack views that they have not opened yet. */
async function tidy(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== kept.name);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin) return;
  const way = wayOf(request.mode, pathname);
  if (way) event.respondWith(answerOf(way, request, kept, caches, () => fetched(event), (work) => event.waitUntil(work)));
});

/** How a request is answered; undefined: as if there were no service worker. */
function wayOf(mode: RequestMode, pathname: string): 'page' | 'asset' | 'file' | undefined {
  if (mode === 'navigate') return parse(pathname).view === 'nowhere' ? undefined : 'page';
  if (pathname.startsWith('/assets/')) return 'asset';
  return kept.files.includes(pathname) ? 'file' : undefined;
}

async function fetched(event: FetchEvent): Promise<Response> {
  return ((await event.preloadResponse) as Response | undefined) ?? fetch(event.request);
}
