// The address of the page is the state of what is looked at: it can be shared, and "back" works.
import { computed, signal } from '@preact/signals';

export type Place = { readonly view: 'city' } | { readonly view: 'lot'; readonly lotId: string } | { readonly view: 'nowhere' };

const address = signal(new URL(location.href));

export const place = computed<Place>(() => parse(address.value.pathname));

/** The lot to which the feed is narrowed, if it is. */
export const feedLot = computed(() => address.value.searchParams.get('feed') ?? undefined);

export function parse(path: string): Place {
  if (path === '/' || path === '/index.html') return { view: 'city' };
  const lot = /^\/lots\/([^/]+)\/?$/.exec(path);
  try {
    if (lot) return { view: 'lot', lotId: decodeURIComponent(lot[1]!) };
  } catch {
    // not an address that this page made
  }
  return { view: 'nowhere' };
}

export const cityPath = (): string => `/${address.value.search}`;
export const lotPath = (lotId: string): string => `/lots/${encodeURIComponent(lotId)}${address.value.search}`;

/** The present address, for coming back to it. */
export const here = (): string => address.peek().pathname + address.peek().search;

/** Replaces the address, which then counts as never visited. */
export function replaceAddress(path: string): void {
  history.replaceState(null, '', path);
  address.value = new URL(location.href);
}

export function narrowFeed(lotId: string | undefined): void {
  const to = new URL(address.value);
  if (lotId === undefined) to.searchParams.delete('feed');
  else to.searchParams.set('feed', lotId);
  history.replaceState(null, '', to);
  address.value = to;
}

/** Follows links and the browser's buttons; arrived is called after the view has changed by a link. Returns what ends it. */
export function startRouter(arrived: () => void): () => void {
  const follow = (event: MouseEvent) => {
    const link = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
    const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.defaultPrevented;
    if (!link || elsewhere || link.target || link.origin !== location.origin || link.hash) return;
    event.preventDefault();
    if (link.href !== location.href) history.pushState(null, '', link.href);
    address.value = new URL(link.href);
    arrived();
  };
  const back = () => (address.value = new URL(location.href));
  document.addEventListener('click', follow);
  window.addEventListener('popstate', back);
  return () => {
    document.removeEventListener('click', follow);
    window.removeEventListener('popstate', back);
  };
}
