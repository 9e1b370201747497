// The REST resources that the dashboard uses.
import { exchange, ProblemError, type Answer, type Method, type Sending } from './http';
import { isStatus, type Lot, type Spot, type Zone } from './wire';

/** Who asks. */
export interface Credentials {
  /** The access token to ask with, fresh enough to be taken; undefined: nobody is signed in. */
  token(): Promise<string | undefined>;
  /** The platform refused this token, or who has none. */
  refused(token: string | undefined): void;
  /** The subject of the token. What somebody asked for is not asked again for somebody else. */
  who(): string | undefined;
  /** Finds out whether the platform still takes the token. */
  check(): Promise<void>;
}

/** Who never signs in. */
export const nobody: Credentials = { token: async () => undefined, refused: () => {}, who: () => undefined, check: async () => {} };

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
    // The cursor comes with the first spots: what changes from then on comes again as an event. Lots are changed without one, and may be asked for at once.
    const [first, early] = await Promise.all([this.page<Spot>('/api/v1/spots', {}), this.lots()]);
    if (!first.after) throw new ProblemError({ title: 'The answer is not what this page expects', detail: 'GET /api/v1/spots came without "after".', cause: 'unexpected' });
    const spots = await this.rest('/api/v1/spots', {}, first);
    const there = new Set(early.map(({ id }) => id));
    const lots = spots.every(({ lotId }) => there.has(lotId)) ? early : await this.lots(); // one was added between
    return { lots, spots: spots.map(known), cursor: first.after };
  }

  lots(): Promise<Lot[]> {
    return this.all<Lot>('/api/v1/lots', {});
  }

  /** The spots of a lot, or of all lots. */
  async spots(lotId?: string): Promise<Spot[]> {
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

  /**
   * The same with what comes beside the answer: status, headers, etag. Where the token was refused and there is another one, it is asked once more;
   * but what somebody wanted to be done is not done for whoever has signed in meanwhile.
   */
  async exchange<T>(method: Method, path: string, sending?: Sending): Promise<Answer<T>> {
    const who = this.credentials.who();
    const ended = () => method !== 'GET' && who !== this.credentials.who();
    const token = await this.credentials.token();
    if (ended()) throw new ProblemError({ title: 'The sign-in has ended', detail: 'It was not done, as the sign-in had ended before.', cause: 'ended' });
    try {
      return await exchange<T>(this.request, method, path, token, sending);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.status !== 401) throw error;
      this.credentials.refused(token);
      if (token === undefined || ended()) throw error;
      const fresh = await this.credentials.token();
      if (fresh === token || ended()) throw error;
      return exchange<T>(this.request, method, path, fresh, sending);
    }
  }

  /** Who asks; undefined: nobody who is known. */
  who(): string | undefined {
    return this.credentials.who();
  }

  /** The token to ask with, for what is not asked by this class: streams. */
  token(): Promise<string | undefined> {
    return this.credentials.token();
  }
}

/** A status that a newer platform may have is one that this page does not know. */
const known = (spot: Spot): Spot => (isStatus(spot.status) ? spot : { ...spot, status: 'unknown' });
