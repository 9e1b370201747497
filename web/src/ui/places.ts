// Which view an address stands for: for the page, and for the service worker, which must know the page's addresses from others.
export type Place =
  | { readonly view: 'city' | 'map' | 'table' | 'changes' | 'alerts' | 'manage' | 'import' | 'nowhere' }
  | { readonly view: 'lot' | 'lot-table' | 'lot-history' | 'manage-lot'; readonly lotId: string }
  | { readonly view: 'spot'; readonly spotId: string };

export type View = Place['view'];

/** The lot that the address names, if it does. */
export const lotOf = (at: Place): string | undefined => ('lotId' in at ? at.lotId : undefined);

const plain: Record<string, Place> = {
  '/': { view: 'city' }, '/index.html': { view: 'city' }, '/map': { view: 'map' }, '/table': { view: 'table' }, '/changes': { view: 'changes' },
  '/alerts': { view: 'alerts' }, '/manage': { view: 'manage' }, '/manage/import': { view: 'import' },
};

const named: readonly [RegExp, (id: string) => Place][] = [
  [/^\/lots\/([^/]+)$/, (lotId) => ({ view: 'lot', lotId })],
  [/^\/lots\/([^/]+)\/table$/, (lotId) => ({ view: 'lot-table', lotId })],
  [/^\/lots\/([^/]+)\/history$/, (lotId) => ({ view: 'lot-history', lotId })],
  [/^\/manage\/lots\/([^/]+)$/, (lotId) => ({ view: 'manage-lot', lotId })],
  [/^\/spots\/([^/]+)$/, (spotId) => ({ view: 'spot', spotId })],
];

export function parse(path: string): Place {
  const bare = path.length > 1 ? path.replace(/\/$/, '') : path;
  if (Object.hasOwn(plain, bare)) return plain[bare]!;
  for (const [pattern, make] of named) {
    const found = pattern.exec(bare);
    try {
      if (found) return make(decodeURIComponent(found[1]!));
    } catch {
      // not an address that this page made
    }
  }
  return { view: 'nowhere' };
}
