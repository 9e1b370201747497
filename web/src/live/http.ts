// One request to the platform, and what it means when it fails.

/** What went wrong, in words for a person: RFC 9457. */
export interface Problem {
  readonly type?: string;
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

const patience = 20_000; // milliseconds for one answer, after which it is asked for again

/** Sends a request and returns the JSON of its answer. Throws a ProblemError where there is none, or it is a refusal. */
export async function send<T>(request: typeof fetch, method: 'GET' | 'POST' | 'DELETE', address: string, token: string | undefined): Promise<T> {
  let answer: Response;
  try {
    answer = await request(address, {
      method,
      headers: { accept: 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(patience),
    });
  } catch {
    throw new ProblemError({ title: 'Parkwire cannot be reached', detail: 'The server does not answer. It may be restarting, or this device has no connection.' });
  }
  if (!answer.ok) throw new ProblemError(await problemOf(answer), retryAfter(answer));
  try {
    return (await answer.json()) as T;
  } catch {
    throw new ProblemError({ title: 'The answer cannot be read', detail: `What came for ${address} is no JSON.`, status: answer.status });
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const fallback = { title: answer.statusText || 'The request failed', status: answer.status };
  if (!answer.headers.get('content-type')?.includes('json')) return fallback;
  return { ...fallback, ...(await answer.json().catch(() => ({}))) };
}

function retryAfter(answer: Response): number {
  const seconds = Number(answer.headers.get('retry-after'));
  return Number.isFinite(seconds) ? Math.min(seconds, 60) * 1000 : 0;
}
