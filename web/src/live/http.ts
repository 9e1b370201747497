// One request to the platform, and what it means when it fails.

/** What went wrong, in words for a person: RFC 9457. */
export interface Problem {
  readonly type?: string;
  readonly title: string;
  readonly detail?: string;
  readonly status?: number;
  readonly requestId?: string;
  /** What this page itself found out: it says so in its own language, see `words.common.problem`. */
  readonly cause?: 'unreachable' | 'unreadable' | 'unexpected' | 'signInUnreachable' | 'ended' | 'noChanges' | 'fault';
  /** A problem may carry more, such as the errors of single lines. */
  readonly [extension: string]: unknown;
}

export class ProblemError extends Error {
  /** retryAfter is how long the platform asked to be left alone, in milliseconds. */
  constructor(readonly problem: Problem, readonly retryAfter = 0) {
    super(problem.detail ?? problem.title);
  }
}

/** Of whatever was thrown: what the platform or this page said of it, else that the page itself is at fault. */
export const problemOf = (error: unknown): Problem =>
  (error instanceof ProblemError ? error.problem : { title: 'Something in this page went wrong', detail: error instanceof Error ? error.message : String(error), cause: 'fault' });

const patience = 20_000; // milliseconds for one answer, after which it is asked for again

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a request carries beside its address. */
export interface Sending {
  /** Parameters of the address; undefined ones are left out, of lists each is one. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Text and blobs are sent as they are, with a content-type of their own among the headers; everything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** How long to wait for the answer, in milliseconds. */
  readonly patience?: number;
  /** What the answer is read as; undefined: JSON. */
  readonly as?: 'json' | 'text' | 'blob';
}

export interface Answer<T> {
  /** Undefined where the answer has none: 204. */
  readonly body: T;
  readonly status: number;
  /** For If-Match. */
  readonly etag: string | undefined;
  readonly headers: Headers;
}

/** Sends a request and returns its answer. Throws a ProblemError where there is none, or it is a refusal; what the signal ended, as the signal says. */
export async function exchange<T>(request: typeof fetch, method: Method, path: string, token: string | undefined, sending: Sending = {}): Promise<Answer<T>> {
  const address = addressOf(path, sending.query);
  const { body, signal, as = 'json' } = sending;
  const raw = typeof body === 'string' || body instanceof Blob;
  const timeout = AbortSignal.timeout(sending.patience ?? patience);
  let answer: Response;
  try {
    answer = await request(address, {
      method,
      headers: {
        accept: as === 'json' ? 'application/json' : '*/*',
        ...(body !== undefined && !raw && { 'content-type': 'application/json' }),
        ...sending.headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch {
    signal?.throwIfAborted();
    throw new ProblemError({ title: 'Parkwire cannot be reached', detail: 'The server does not answer. It may be restarting, or this device has no connection.', cause: 'unreachable' });
  }
  if (!answer.ok) throw new ProblemError(await refusal(answer), retryAfter(answer));
  const { status, headers } = answer;
  try {
    const content = status === 204 ? undefined : await answer[as]();
    return { body: content as T, status, etag: headers.get('etag') ?? undefined, headers };
  } catch {
    signal?.throwIfAborted();
    throw new ProblemError({ title: 'The answer cannot be read', detail: `What came for ${address} is no JSON.`, status, cause: 'unreadable' });
  }
}

/** The same for those who want the JSON alone. */
export async function send<T>(request: typeof fetch, method: Method, path: string, token: string | undefined, sending?: Sending): Promise<T> {
  return (await exchange<T>(request, method, path, token, sending)).body;
}

/** The path with its parameters. */
export function addressOf(path: string, query: Sending['query'] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) for (const each of Array.isArray(value) ? value : [value]) parameters.append(name, String(each));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

async function refusal(answer: Response): Promise<Problem> {
  const fallback = { title: answer.statusText || 'The request failed', status: answer.status };
  if (!answer.headers.get('content-type')?.includes('json')) return fallback;
  return { ...fallback, ...(await answer.json().catch(() => ({}))) };
}

function retryAfter(answer: Response): number {
  const seconds = Number(answer.headers.get('retry-after'));
  return Number.isFinite(seconds) ? Math.min(seconds, 60) * 1000 : 0;
}
