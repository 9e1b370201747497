// The address of the page is the state of what is looked at: it can be shared, and "back" works.
import { computed, signal } from '@preact/signals';
import { parse, type Place } from './places';

export { lotOf, parse, type Place, type View } from './places';

const address = signal(new URL(location.href));

export const place = computed<Place>(() => parse(address.value.pathname));

/** The parameters of the address: the state of the view, and what goes with the whole page. */
export const query = computed(() => address.value.searchParams);

/** Values for parameters; undefined or empty: without it. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** What is about the page and not about the view: links keep it. */
const kept = ['kiosk', 'lang', 'motion', 'theme', 'dir', 'feed'];

/** An address in this page, with the parameters of the view to which it leads; the path may have some already. */
export function pathTo(path: string, parameters: Parameters = {}): string {
  const [bare = '', own] = path.split('?', 2);
  const to = new URLSearchParams(own);
  for (const name of kept) {
    const value = address.value.searchParams.get(name);
    if (value !== null) to.set(name, value);
  }
  return bare + searchOf(to, parameters);
}

const lot = (lotId: string) => `/lots/${encodeURIComponent(lotId)}`;

export const cityPath = (parameters?: Parameters): string => pathTo('/', parameters);
export const mapPath = (parameters?: Parameters): string => pathTo('/map', parameters);
export const lotPath = (lotId: string, parameters?: Parameters): string => pathTo(lot(lotId), parameters);
export const lotTablePath = (lotId: string, parameters?: Parameters): string => pathTo(`${lot(lotId)}/table`, parameters);
export const lotHistoryPath = (lotId: string, parameters?: Parameters): string => pathTo(`${lot(lotId)}/history`, parameters);
export const tablePath = (parameters?: Parameters): string => pathTo('/table', parameters);
export const spotPath = (spotId: string, parameters?: Parameters): string => pathTo(`/spots/${encodeURIComponent(spotId)}`, parameters);
export const changesPath = (parameters?: Parameters): string => pathTo('/changes', parameters);
export const alertsPath = (parameters?: Parameters): string => pathTo('/alerts', parameters);
export const managePath = (parameters?: Parameters): string => pathTo('/manage', parameters);
export const manageLotPath = (lotId: string, parameters?: Parameters): string => pathTo(`/manage${lot(lotId)}`, parameters);
export const importPath = (parameters?: Parameters): string => pathTo('/manage/import', parameters);

/** The present address, for coming back to it. */
export const here = (): string => address.peek().pathname + address.peek().search;

/** Replaces the address, which then counts as never visited. */
export function replaceAddress(path: string): void {
  history.replaceState(null, '', path);
  address.value = new URL(location.href);
}

/** Goes to an address in this page. */
export function go(path: string): void {
  if (path !== here()) history.pushState(null, '', path);
  address.value = new URL(location.href);
  arrived();
}

let arrived = () => {};

/** Changes parameters of the present address, which then counts as one visit: filters that are tried out do not fill "back". */
export function setQuery(parameters: Parameters): void {
  replaceAddress(address.peek().pathname + searchOf(new URLSearchParams(address.peek().searchParams), parameters));
}

function searchOf(to: URLSearchParams, parameters: Parameters): string {
  for (const [name, value] of Object.entries(parameters)) {
    if (value) to.set(name, value);
    else to.delete(name);
  }
  const search = to.toString().replace(/=(?=&|$)/g, ''); // ?kiosk, not ?kiosk=
  return search && `?${search}`;
}

/** The lot to which the feed beside a view is narrowed, if it is. */
export const feedLot = computed(() => query.value.get('feed') ?? undefined);
export const narrowFeed = (lotId: string | undefined): void => setQuery({ feed: lotId });

/** Follows links and the browser's buttons; whoArrived is called after the page has gone to another address by a link. Returns what ends it. */
export function startRouter(whoArrived: () => void): () => void {
  arrived = whoArrived;
  const follow = (event: MouseEvent) => {
    const link = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | SVGAElement | null;
    const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.defaultPrevented;
    if (!(link instanceof HTMLAnchorElement) || elsewhere || link.target || link.hasAttribute('download') || link.origin !== location.origin || link.hash) return;
    event.preventDefault();
    const { pathname, search } = new URL(link.href);
    go(pathname + search);
  };
  const back = () => (address.value = new URL(location.href));
  document.addEventListener('click', follow);
  window.addEventListener('popstate', back);
  return () => {
    document.removeEventListener('click', follow);
    window.removeEventListener('popstate', back);
  };
}
