// The resources by which lots, zones and spots are changed.
import type { Api } from '../live/api';
import { ProblemError, type Answer, type Method, type Sending } from '../live/http';
import { isStatus, type Spot, type Zone } from '../live/wire';
import type { Act, Imported, LotDetails, SpotDetails, Versioned } from './wire';

const attempts = 4; // of which the first is one
const firstPause = 500; // milliseconds; it doubles
const filePatience = 300_000; // a file of 50,000 rows is read and written in it on a slow machine

/** A JSON merge patch: null removes. */
export type Patch = Readonly<Record<string, unknown>>;

export interface ImportOptions {
  readonly dryRun: boolean;
  readonly createZones: boolean;
  readonly atomic: boolean;
}

export class ManageApi {
  constructor(private readonly api: Api, private readonly wait = (duration: number) => new Promise<void>((resolve) => setTimeout(resolve, duration))) {}

  lots(): Promise<LotDetails[]> {
    return this.api.all<LotDetails>('/api/v1/lots');
  }

  lot(id: string): Promise<Versioned<LotDetails>> {
    return this.#read<LotDetails>(lotPath(id));
  }

  addLot(lot: Patch): Promise<LotDetails> {
    return this.#once<LotDetails>('POST', '/api/v1/lots', { body: lot });
  }

  editLot(id: string, patch: Patch, etag: string | undefined): Promise<LotDetails> {
    return this.#once<LotDetails>('PATCH', lotPath(id), { body: patch, headers: ifMatch(etag) });
  }

  removeLot(id: string): Promise<void> {
    return this.#remove(lotPath(id));
  }

  zone(lotId: string, id: string): Promise<Versioned<Zone>> {
    return this.#read<Zone>(zonePath(lotId, id));
  }

  addZone(lotId: string, zone: Patch): Promise<Zone> {
    return this.#once<Zone>('POST', `${lotPath(lotId)}/zones`, { body: zone });
  }

  editZone(lotId: string, id: string, patch: Patch, etag: string | undefined): Promise<Zone> {
    return this.#once<Zone>('PATCH', zonePath(lotId, id), { body: patch, headers: ifMatch(etag) });
  }

  removeZone(lotId: string, id: string): Promise<void> {
    return this.#remove(zonePath(lotId, id));
  }

  async spot(id: string): Promise<Versioned<SpotDetails>> {
    const { item, etag } = await this.#read<SpotDetails>(spotPath(id));
    return { item: known(item), etag };
  }

  /** The spots of a lot with everything that is known of them. */
  async spots(lotId: string): Promise<SpotDetails[]> {
    return (await this.api.all<SpotDetails>('/api/v1/spots', { lot: lotId })).map(known);
  }

  /** Adds all of them or none. */
  async addSpots(lotId: string, spots: readonly Patch[]): Promise<SpotDetails[]> {
    const { items } = await this.#once<{ readonly items: SpotDetails[] }>('POST', `${lotPath(lotId)}/spots`, { body: spots });
    return items.map(known);
  }

  async editSpot(id: string, patch: Patch, etag?: string): Promise<SpotDetails> {
    return known(await this.#once<SpotDetails>('PATCH', spotPath(id), { body: patch, headers: ifMatch(etag) }));
  }

  removeSpot(id: string): Promise<void> {
    return this.#remove(spotPath(id));
  }

  /** Does something to a spot and returns what it is then. */
  async act(id: string, act: Act): Promise<SpotDetails> {
    const reservation = `${spotPath(id)}/reservation`;
    switch (act.action) {
      case 'reserve': {
        const { action: _, ...body } = act;
        return known(await this.#repeat(() => this.api.ask<SpotDetails>('PUT', reservation, { body })));
      }
      case 'end_reservation': return known(await this.#repeat(() => this.api.ask<SpotDetails>('DELETE', reservation)));
      default: return known(await this.#once<SpotDetails>('POST', `${spotPath(id)}/${act.action}`));
    }
  }

  /** Has a file read: what would become of it, or what did. */
  importSpots(lotId: string, text: string | Blob, type: string, { dryRun, createZones, atomic }: ImportOptions, signal?: AbortSignal): Promise<Imported> {
    const sending: Sending = {
      query: { dryRun: flag(dryRun), createZones: flag(createZones), atomic: flag(atomic) },
      body: text, headers: { 'content-type': type }, patience: filePatience, ...(signal && { signal }),
    };
    return dryRun ? this.api.ask<Imported>('POST', `${lotPath(lotId)}/spots:import`, sending) : this.#once<Imported>('POST', `${lotPath(lotId)}/spots:import`, sending);
  }

  async #read<T>(path: string): Promise<Versioned<T>> {
    const { body, etag }: Answer<T> = await this.api.exchange<T>('GET', path);
    return { item: body, etag: etag?.replace(/^W\//, '') }; // proxies that compress weaken it, and weak ones never match
  }

  /** Sends what is to be done once under a key of its own: where no answer came it is sent again, and what was done is not done twice. */
  #once<T>(method: Method, path: string, sending: Sending = {}): Promise<T> {
    const headers = { ...sending.headers, 'idempotency-key': newKey() };
    return this.#repeat(() => this.api.ask<T>(method, path, { ...sending, headers }));
  }

  /** Has something removed, which takes no key: what is gone when it is asked for again was removed by the request that was not answered. */
  #remove(path: string): Promise<void> {
    return this.#repeat((attempt) => this.api.ask<void>('DELETE', path).catch((error: unknown) => {
      if (attempt === 1 || !(error instanceof ProblemError) || error.problem.status !== 404) throw error;
    }));
  }

  async #repeat<T>(send: (attempt: number) => Promise<T>): Promise<T> {
    const who = this.api.who();
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(attempt);
      } catch (error) {
        if (attempt === attempts || !mayRepeat(error)) throw error;
        await this.wait(Math.max(error.retryAfter, firstPause * 2 ** (attempt - 1)));
        if (who !== this.api.who()) throw error;
      }
    }
  }
}

const lotPath = (id: string) => `/api/v1/lots/${encodeURIComponent(id)}`;
const zonePath = (lotId: string, id: string) => `${lotPath(lotId)}/zones/${encodeURIComponent(id)}`;
const spotPath = (id: string) => `/api/v1/spots/${encodeURIComponent(id)}`;
const ifMatch = (etag: string | undefined): Record<string, string> => (etag === undefined ? {} : { 'if-match': etag });
const flag = (is: boolean) => (is ? '1' : undefined);

/** Whether the same may be asked again: nobody answered, or it was too much or too early. */
function mayRepeat(error: unknown): error is ProblemError {
  if (!(error instanceof ProblemError)) return false;
  const { cause, status = 0, type = '' } = error.problem;
  return cause === 'unreachable' || [429, 502, 504].includes(status) || (status === 503 && !type.endsWith(':service-not-configured')) || type.endsWith(':idempotency-key-in-use');
}

/** A key that nobody else has. Pages that are not encrypted have no randomUUID. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A status that a newer platform may have is one that this page does not know. */
function known<T extends Spot>(spot: T): T {
  return isStatus(spot.status) ? spot : { ...spot, status: 'unknown' };
}
