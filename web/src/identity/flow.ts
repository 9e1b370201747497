// The page's part of signing in at an OpenID provider: the authorization code flow with PKCE (RFC 6749, 7636, 9700), as a client without a secret.
import { defined } from '../live/wire';

/** Addresses of the provider, as the platform found them. */
export interface Endpoints {
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
  readonly endSession?: string;
  readonly revocation?: string;
}

/** What the page is to the provider. */
export interface Client {
  readonly clientId: string;
  readonly scope: string;
  readonly resource?: string;
  readonly endpoints: Endpoints;
}

/** What must be remembered of an attempt to sign in until the provider has sent the browser back. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where the page was. */
  readonly back: string;
}

export interface Tokens {
  readonly access: string;
  /** When the access token expires (epoch, milliseconds); Infinity where nobody said. */
  readonly expires: number;
  /** From when on it is to be refreshed, where it can be. */
  readonly due: number;
  readonly refresh?: string;
  /** For the sign-out, which the provider then need not ask about. */
  readonly id?: string;
  /** What the provider calls the person. */
  readonly name?: string;
}

/** `unreachable`, `answer` (it makes no sense), or what the provider says, such as `access_denied` and `invalid_grant`. */
export class SignInError extends Error {
  constructor(readonly code: string, message = '') {
    super(message);
  }
}

/** An access token is refreshed so long before it expires, in milliseconds; one that lives for less than twice as long, after half of its life. */
const early = 60_000;
const patience = 15_000; // for an answer of the provider
const leeway = 60_000; // for clocks that differ

/** Where to send the browser so that its user signs in, and what to remember meanwhile. */
export async function begin(client: Client, redirect: string, back: string): Promise<{ readonly address: string; readonly attempt: Attempt }> {
  const attempt = { state: random(), nonce: random(), verifier: random(), back };
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(attempt.verifier));
  const address = withQuery(client.endpoints.authorization, {
    response_type: 'code', client_id: client.clientId, redirect_uri: redirect, scope: client.scope, resource: client.resource, state: attempt.state, nonce: attempt.nonce,
    code_challenge: base64url(new Uint8Array(hash)), code_challenge_method: 'S256',
  });
  return { address, attempt };
}

/** Takes what the provider sent the browser back with, and gets tokens for it. */
export async function redeem(client: Client, redirect: string, { state, nonce, verifier }: Attempt, answer: URLSearchParams, request: typeof fetch): Promise<Tokens> {
  if (answer.get('state') !== state) throw new SignInError('answer', 'The answer belongs to another attempt.');
  const { issuer } = client.endpoints;
  if ((answer.get('iss') ?? issuer) !== issuer) throw new SignInError('answer', 'The answer is from another provider.'); // RFC 9207
  const error = answer.get('error');
  if (error !== null) throw new SignInError(error, answer.get('error_description') ?? '');
  const code = answer.get('code');
  if (code === null) throw new SignInError('answer', 'The answer has no code.');
  return ask(client, { grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier }, request, nonce);
}

/** Gets fresh tokens for a refresh token. Where the provider gives no other one, it holds on. */
export async function refresh(client: Client, token: string, request: typeof fetch): Promise<Tokens> {
  return { refresh: token, ...(await ask(client, { grant_type: 'refresh_token', refresh_token: token }, request)) };
}

/** Tells the provider that a refresh token is not needed any more. Whether that succeeds, nobody waits to hear. */
export function revoke({ clientId, endpoints }: Client, token: string, request: typeof fetch): void {
  if (endpoints.revocation === undefined) return;
  const body = new URLSearchParams({ token, token_type_hint: 'refresh_token', client_id: clientId });
  request(endpoints.revocation, { method: 'POST', body, keepalive: true }).catch(() => undefined);
}

/** Where to send the browser so that the provider forgets its user too; undefined where it has no such place. */
export function farewell({ clientId, endpoints }: Client, home: string, id: string | undefined): string | undefined {
  if (endpoints.endSession === undefined) return undefined;
  return withQuery(endpoints.endSession, { client_id: clientId, post_logout_redirect_uri: home, id_token_hint: id });
}

async function ask({ clientId, scope, resource, endpoints }: Client, grant: Record<string, string>, request: typeof fetch, nonce?: string): Promise<Tokens> {
  let answer: Response;
  try {
    const body = new URLSearchParams(defined({ ...grant, client_id: clientId, resource }));
    answer = await request(endpoints.token, { method: 'POST', body, headers: { accept: 'application/json' }, signal: AbortSignal.timeout(patience) });
  } catch {
    throw new SignInError('unreachable');
  }
  const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  if (!answer.ok) {
    const code = answer.status >= 500 || answer.status === 429 ? 'unreachable' : (text(said.error) ?? 'answer');
    throw new SignInError(code, text(said.error_description) ?? `Status ${answer.status}.`);
  }
  const access = text(said.access_token);
  if (access === undefined || text(said.token_type)?.toLowerCase() !== 'bearer') throw new SignInError('answer', 'There is no bearer token in the answer.');
  const id = text(said.id_token);
  if (nonce !== undefined && id === undefined && scope.split(' ').includes('openid')) throw new SignInError('answer', 'There is no ID token in the answer.');
  const claims = id === undefined ? {} : check(claimsOf(id), clientId, endpoints.issuer, nonce);
  const lifetime = Number(said.expires_in ?? NaN) * 1000;
  const expires = lifetime > 0 ? Date.now() + lifetime : Infinity;
  return {
    access, expires, due: expires - Math.min(early, lifetime / 2 || 0),
    ...defined({ refresh: text(said.refresh_token), id, name: text(claims.name) ?? text(claims.preferred_username) ?? text(claims.email) }),
  };
}

/** Checks an ID token as OpenID Connect Core 3.1.3.7 asks; its signature need not be checked, as it came from the provider itself. */
function check(claims: Record<string, unknown>, clientId: string, issuer: string, nonce: string | undefined): Record<string, unknown> {
  const audiences = [claims.aud].flat();
  const fault =
    claims.iss !== issuer ? 'is from another issuer'
    : !audiences.includes(clientId) || (claims.azp ?? clientId) !== clientId ? 'is for another client'
    : nonce !== undefined && claims.nonce !== nonce ? 'belongs to another attempt'
    : !(Number(claims.exp) * 1000 > Date.now() - leeway) ? 'has expired'
    : undefined;
  if (fault !== undefined) throw new SignInError('answer', `The ID token ${fault}.`);
  return claims;
}

/** A token that was typed in says itself when it ends. */
export function ofTyped(access: string): Tokens {
  const exp = Number(claimsOf(access).exp ?? NaN) * 1000;
  return { access, expires: exp > 0 ? exp : Infinity, due: Infinity };
}

/** The claims of a token, unchecked; none where it is no JSON Web Token. */
function claimsOf(token: string): Record<string, unknown> {
  try {
    const bytes = Uint8Array.from(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** The address with more parameters; one that is undefined is left out. */
function withQuery(address: string, query: Record<string, string | undefined>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
