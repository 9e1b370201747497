// The REST resources that the dashboard reads.
import { isStatus, type Lot, type Spot, type Zone } from './wire';

/** What went wrong, in words for a person: RFC 9457. */
export interface Problem {
  readonly title: string;
  readonly detail?: string;
  readonly status?: number;
  readonly requestId?: string;
}

export class ProblemError extends Error {
  /** retryAfter is how long the platform asked to be left alone, in milliseconds. */
  constructor(readonly problem: Problem, readonly retryAfter = 0) {
    super(problem.detail ?? problem.title);
  }
}

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
const patience = 20_000; // milliseconds for one page, after which it is asked for again

export class Api {
  constructor(private readonly request: typeof fetch = (...args) => fetch(...args)) {}

  async snapshot(): Promise<Snapshot> {
    // The cursor comes first, then everything else: what changes meanwhile comes again as an event.
    const first = await this.page<Spot>('/api/v1/spots', {});
    if (!first.after) throw new ProblemError({ title: 'The answer is not what this page expects', detail: 'GET /api/v1/spots came without "after".' });
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

  private async all<T>(path: string, query: Record<string, string>): Promise<T[]> {
    return this.rest(path, query, await this.page<T>(path, query));
  }

  private async rest<T>(path: string, query: Record<string, string>, page: Page<T>): Promise<T[]> {
    const items = [...page.items];
    while (page.next !== undefined) {
      page = await this.page<T>(path, { ...query, cursor: page.next });
      items.push(...page.items);
    }
    return items;
  }

  private page<T>(path: string, query: Record<string, string>): Promise<Page<T>> {
    return this.get<Page<T>>(path, { ...query, limit: String(pageSize) });
  }

  private async get<T>(path: string, query: Record<string, string>): Promise<T> {
    let answer: Response;
    try {
      answer = await this.request(`${path}?${new URLSearchParams(query)}`, {
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(patience),
      });
    } catch {
      throw new ProblemError({ title: 'Parkwire cannot be reached', detail: 'The server does not answer. It may be restarting, or this device has no connection.' });
    }
    if (!answer.ok) throw new ProblemError(await problemOf(answer), retryAfter(answer));
    try {
      return (await answer.json()) as T;
    } catch {
      throw new ProblemError({ title: 'The answer cannot be read', detail: `What came for ${path} is no JSON.`, status: answer.status });
    }
  }
}

/** A status that a newer platform may have is one that this page does not know. */
const known = (spot: Spot): Spot => (isStatus(spot.status) ? spot : { ...spot, status: 'unknown' });

async function problemOf(answer: Response): Promise<Problem> {
  const fallback = { title: answer.statusText || 'The request failed', status: answer.status };
  if (!answer.headers.get('content-type')?.includes('json')) return fallback;
  return { ...fallback, ...(await answer.json().catch(() => ({}))) };
}

function retryAfter(answer: Response): number {
  const seconds = Number(answer.headers.get('retry-after'));
  return Number.isFinite(seconds) ? Math.min(seconds, 60) * 1000 : 0;
}
