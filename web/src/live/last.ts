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

/** In IndexedDB. */
export class BrowserShelf implements Shelf {
  #database: Promise<IDBDatabase> | undefined;

  async read(): Promise<KeptState | undefined> {
    const its = await this.#store('readonly');
    const [asOf, lots] = await Promise.all([done(its.get(sealKey)), done(its.getAll(IDBKeyRange.bound('lot ', 'lot \uffff')))]);
    return typeof asOf === 'number' ? { asOf, lots: lots as KeptLot[] } : undefined;
  }

  async put(lot: KeptLot): Promise<void> {
    await done((await this.#store('readwrite')).put(lot, lotKey(lot.lot.id)));
  }

  async seal(asOf: number, lotIds: readonly string[]): Promise<void> {
    const its = await this.#store('readwrite');
    const present = new Set([sealKey, ...lotIds.map(lotKey)]);
    for (const key of await done(its.getAllKeys())) if (!present.has(String(key))) its.delete(key);
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
