// The last state, kept in the browser: what there is to see when the page is opened without a network. It is shown with its age, never as the present.
import type { Lot, Spot, Zone } from './wire';

export interface KeptLot {
  readonly lot: Lot;
  readonly spots: readonly Spot[];
  readonly zones: readonly Zone[];
}

export interface KeptState {
  /** Since when it may be old (epoch, milliseconds). */
  readonly asOf: number;
  readonly lots: readonly KeptLot[];
}

/** Where it is kept: each lot by itself, so that no write is long. */
export interface Shelf {
  read(): Promise<KeptState | undefined>;
  put(lot: KeptLot): Promise<void>;
  /** Says that these lots are all, as of then; others are removed. */
  seal(asOf: number, lotIds: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

const store = 'state';
const sealKey = 'as of';
const lotKey = (id: string) => `lot ${id}`;
/** Further spots of a lot. */
const partKey = (id: string, part: number) => ['spots', id, part];

/** So many spots are written at once. The browser copies them while the page waits. */
const most = 1_000;

/** In IndexedDB. */
export class BrowserShelf implements Shelf {
  #database: Promise<IDBDatabase> | undefined;

  async read(): Promise<KeptState | undefined> {
    const its = await this.#store('readonly');
    const [asOf, lots, parts] = await Promise.all([
      done(its.get(sealKey)), done<KeptLot[]>(its.getAll(IDBKeyRange.bound('lot ', 'lot \uffff'))), done<Spot[][]>(its.getAll(IDBKeyRange.bound(['spots'], ['spots', []]))),
    ]);
    if (typeof asOf !== 'number') return undefined;
    const further = (id: string) => parts.filter((part) => part[0]?.lotId === id).flat();
    return { asOf, lots: lots.map(({ spots, ...lot }) => ({ ...lot, spots: [...spots, ...further(lot.lot.id)] })) };
  }

  /** In one transaction, so that a lot is kept whole or as before. */
  async put({ spots, ...lot }: KeptLot): Promise<void> {
    const { id } = lot.lot;
    const its = await this.#store('readwrite');
    await done(its.put({ ...lot, spots: spots.slice(0, most) }, lotKey(id)));
    let part = 0;
    for (; (part + 1) * most < spots.length; part++) await done(its.put(spots.slice((part + 1) * most, (part + 2) * most), partKey(id, part)));
    await done(its.delete(IDBKeyRange.bound(partKey(id, part), partKey(id, Infinity))));
  }

  async seal(asOf: number, lotIds: readonly string[]): Promise<void> {
    const its = await this.#store('readwrite');
    const present = new Set<unknown>([sealKey, ...lotIds.map(lotKey)]);
    const lots = new Set<unknown>(lotIds);
    for (const key of await done(its.getAllKeys())) if (!present.has(key) && !(Array.isArray(key) && lots.has(key[1]))) its.delete(key);
    await done(its.put(asOf, sealKey));
  }

  async clear(): Promise<void> {
    await done((await this.#store('readwrite')).clear());
  }

  async #store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    this.#database ??= open().catch((error: unknown) => {
      this.#database = undefined;
      throw error;
    });
    return (await this.#database).transaction(store, mode).objectStore(store);
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('parkwire', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(store);
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser keeps nothing.'));
  });
}
