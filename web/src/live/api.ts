// The REST resources that the dashboard uses.
import { exchange, ProblemError, type Answer, type Method, type Sending } from './http';
import { isStatus, type Lot, type Spot, type Zone } from './wire';

/** Who asks. */
export interface Credentials {
  /** The access token to ask with, fresh enough to be taken; undefined: nobody is signed in. */
  token(): Promise<string | undefined>;
  /** The platform refused this token. */
  refused(token: string): void;
  /** Finds out whether the platform still takes the token. */
  check(): Promise<void>;
}

/** Who never signs in. */
export const nobody: Credentials = { token: async () => undefined, refused: () => {}, check: async () => {} };

/** What an operator does to a spot; `end_reservation` is the end of its reservation. */
export type Action = 'occupy' | 'release' | 'close' | 'reopen' | 'fault' | 'repair' | 'end_reservation';

export interface Snapshot {
  readonly lots: Lot[];
  readonly spots: Spot[];
  /** The cursor up to which the snapshot surely has everything: it may have more, which versions tell. */
  readonly cursor: string;
}

interface Page<T> {
  readonly items: T[];
  readonly next?: string;
  readonly after?: string;
}

const pageSize = 5000;

export class Api {
  constructor(private readonly credentials: Credentials = nobody, private readonly request: typeof fetch = (...args) => fetch(...args)) {}

  async snapshot(): Promise<Snapshot> {
    // The cursor comes first, then everything else: what changes meanwhile comes again as an event.
    const first = await this.page<Spot>('/api/v1/spots', {});
    if (!first.after) throw new ProblemError({ title: 'The answer is not what this page expects', detail: 'GET /api/v1/spots came without "after".', cause: 'unexpected' });
    const [spots, lots] = await Promise.all([this.rest('/api/v1/spots', {}, first), this.lots()]);
    return { lots, spots: spots.map(known), cursor: first.after };
  }

  lots(): Promise<Lot[]> {
    return this.all<Lot>('/api/v1/lots', {});
  }

  async spots(lotId: string): Promise<Spot[]> {
    return (await this.all<Spot>('/api/v1/spots', { lot: lotId })).map(known);
  }

  zones(lotId: string): Promise<Zone[]> {
    return this.all<Zone>(`/api/v1/lots/${encodeURIComponent(lotId)}/zones`, {});
  }

  /** All pages of a list. */
  async all<T>(path: string, query: Sending['query'] = {}): Promise<T[]> {
    return this.rest(path, query, await this.page<T>(path, query));
  }

  private async rest<T>(path: string, query: Sending['query'], page: Page<T>): Promise<T[]> {
    const items = [...page.items];
    while (page.next !== undefined) {
      page = await this.page<T>(path, { ...query, cursor: page.next });
      items.push(...page.items);
    }
    return items;
  }

  private page<T>(path: string, query: Sending['query']): Promise<Page<T>> {
    return this.ask<Page<T>>('GET', path, { query: { ...query, limit: pageSize } });
  }

  /** Asks the platform for what it answers. Throws a ProblemError. */
  async ask<T>(method: Method, path: string, sending?: Sending): Promise<T> {
    return (await this.exchange<T>(method, path, sending)).body;
  }

  /** The same with what comes beside the answer: status, headers, etag. Where the token was refused and there is another one, it is asked once more. */
  async exchange<T>(method: Method, path: string, sending?: Sending): Promise<Answer<T>> {
    const token = await this.credentials.token();
    try {
      return await exchange<T>(this.request, method, path, token, sending);
    } catch (error) {
      if (token === undefined || !(error instanceof ProblemError) || error.problem.status !== 401) throw error;
      this.credentials.refused(token);
      const fresh = await this.credentials.token();
      if (fresh === token) throw error;
      return exchange<T>(this.request, method, path, fresh, sending);
    }
  }

  /** The token to ask with, for what is not asked by this class: streams. */
  token(): Promise<string | undefined> {
    return this.credentials.token();
  }
}

/** A status that a newer platform may have is one that this page does not know. */
const known = (spot: Spot): Spot => (isStatus(spot.status) ? spot : { ...spot, status: 'unknown' });
