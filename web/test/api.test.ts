import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Api, nobody } from '../src/live/api';
import { ProblemError } from '../src/live/http';

const failing = (answer: () => Promise<Response>) => new Api(nobody, answer as typeof fetch).lots().then(() => expect.unreachable(), (error) => error as ProblemError);

test('the snapshot has all pages, and the cursor of the first', async () => {
  const pages: Record<string, object> = {
    '/api/v1/spots?limit=5000': { items: [{ spotId: 'a', lotId: 'x', status: 'free' }], next: 'p&2', after: 'first' },
    '/api/v1/spots?cursor=p%262&limit=5000': { items: [{ spotId: 'b', lotId: 'x', status: 'levitating' }], after: 'later' },
    '/api/v1/lots?limit=5000': { items: [{ id: 'x' }] },
  };
  const snapshot = await new Api(nobody, (async (address: string) => Response.json(pages[address])) as typeof fetch).snapshot();
  expect(snapshot.cursor).toBe('first');
  expect(snapshot.lots).toHaveLength(1);
  expect(snapshot.spots.map((spot) => spot.status), 'a status of a newer platform is unknown here').toEqual(['free', 'unknown']);
});

test('the snapshot has the lot of each spot, though it was added while the snapshot was taken', async () => {
  let asked = 0;
  const answer = async (address: string) => {
    if (address.startsWith('/api/v1/spots')) return Response.json({ items: [{ spotId: 'a', lotId: 'new', status: 'free' }], after: 'first' });
    return Response.json({ items: asked++ === 0 ? [] : [{ id: 'new' }] });
  };
  const { lots } = await new Api(nobody, answer as unknown as typeof fetch).snapshot();
  expect(lots).toEqual([{ id: 'new' }]);
});

test('a refusal is told in the words of the platform', async () => {
  const error = await failing(async () => Response.json(
    { title: 'Service Unavailable', status: 503, detail: 'The database cannot be reached.', requestId: 'r1' },
    { status: 503, headers: { 'content-type': 'application/problem+json', 'retry-after': '2' } },
  ));
  expect(error.problem).toMatchObject({ status: 503, detail: 'The database cannot be reached.', requestId: 'r1' });
  expect(error.retryAfter).toBe(2_000);
});

test('a refusal in no form that is known still has its status', async () => {
  const error = await failing(async () => new Response('<h1>Bad Gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } }));
  expect(error.problem.status).toBe(502);
  expect(error.problem.title).not.toBe('');
});

test('no answer is told as such', async () => {
  const error = await failing(vi.fn().mockRejectedValue(new TypeError('fetch failed')));
  expect(error.problem.title).toMatch(/cannot be reached/);
  expect(error.problem.status).toBeUndefined();
});

describe('who asks', () => {
  const refusal = () => Response.json({ title: 'Unauthorized', status: 401, detail: 'It has expired.' }, { status: 401, headers: { 'content-type': 'application/problem+json' } });
  let tokens: (string | undefined)[];
  let refused: (string | undefined)[];
  let shown: (string | null)[];
  const api = (answer: (token: string | null) => Response) => new Api(
    { token: async () => tokens[0], refused: (token) => (refused.push(token), tokens.shift()), who: () => 'otto', check: async () => {} },
    (async (_: string, init: RequestInit) => {
      const token = new Headers(init.headers).get('authorization');
      shown.push(token);
      return answer(token);
    }) as typeof fetch,
  );
  beforeEach(() => {
    tokens = ['old', 'new'];
    refused = [];
    shown = [];
  });

  test('a token that is refused is replaced, and the same is asked once more', async () => {
    await api((token) => (token === 'Bearer new' ? Response.json({ items: [] }) : refusal())).lots();
    expect([refused, shown]).toEqual([['old'], ['Bearer old', 'Bearer new']]);
  });

  test('where there is none to replace it the refusal is told', async () => {
    tokens = ['old', 'old'];
    await expect(api(refusal).ask('POST', '/api/v1/spots/c%2F01/occupy')).rejects.toThrow('It has expired.');
    expect(shown).toEqual(['Bearer old']);
  });

  test('what somebody wanted to be done is not done for whoever has signed in meanwhile', async () => {
    let subject: string | undefined = 'otto';
    const credentials = {
      who: () => subject,
      token: () => (subject === undefined ? new Promise<never>(() => {}) : Promise.resolve(tokens[0])), // who must sign in first is waited for
      refused: () => { subject = undefined; tokens.shift(); },
      check: async () => {},
    };
    const request = (async (_: string, init: RequestInit) => (shown.push(new Headers(init.headers).get('authorization')), refusal())) as typeof fetch;
    await expect(new Api(credentials, request).ask('POST', '/api/v1/spots/c-01/close')).rejects.toThrow('It has expired.');
    expect(shown, 'with the token of the next').toEqual(['Bearer old']);
    const late = new Api({ ...credentials, token: async () => ((subject = 'rea'), 'hers') }, request);
    await expect(late.ask('DELETE', '/api/v1/spots/c-01')).rejects.toThrow(/had ended before/);
    expect(shown).toEqual(['Bearer old']);
  });

  test('who has no token and is refused is told, so that it is found out how one signs in', async () => {
    tokens = [];
    await expect(api(refusal).lots()).rejects.toThrow('It has expired.');
    expect(refused).toEqual([undefined]);
  });

  test('what is refused for another reason is not repeated', async () => {
    await expect(api(() => Response.json({}, { status: 403 })).ask('POST', '/api/v1/spots/c-01/close')).rejects.toThrow();
    expect([refused, shown]).toEqual([[], ['Bearer old']]);
  });

  test('nobody shows no token', async () => {
    tokens = [];
    await api(() => Response.json({ items: [] })).lots();
    expect(shown).toEqual([null]);
  });
});
