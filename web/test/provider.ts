// A provider and the platform that takes its tokens, as the page sees them.

const base64url = (bytes: string) => btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const encode = (value: unknown) => base64url(JSON.stringify(value));

export class Provider {
  /** What its next access tokens are worth. */
  lifetime = 300;
  refreshes = true;
  idClaims: Record<string, unknown> = {};
  away = false;
  /** Every grant has ended. */
  ended = false;
  /** Access tokens that the platform refuses. */
  readonly revoked = new Set<string>();
  readonly revocations: string[] = [];
  /** What the platform says. */
  readPublic = true;
  login = true;
  known = true;
  status = 200;
  principal: Record<string, unknown> = { subject: 'otto', scopes: ['operate'] };

  #grants: string[] = [];
  #attempt: URLSearchParams | undefined;
  #tokens = 0;

  /** How often it was asked for this grant. */
  asked(grant: string): number {
    return this.#grants.filter((each) => each === grant).length;
  }

  /** Somebody signs in at this address: where the browser is sent then. */
  authorize(address: string): string {
    const asked = (this.#attempt = new URL(address).searchParams);
    return `${asked.get('redirect_uri')}?${new URLSearchParams({ code: 'code-1', state: asked.get('state')!, iss: 'https://id.example' })}`;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(String(input), 'https://parking.example');
    const sent = init?.body as URLSearchParams;
    if (url.pathname === '/api/v1/identity') return this.#identity(new Headers(init?.headers).get('authorization')?.replace('Bearer ', ''));
    if (this.away) throw new TypeError('fetch failed');
    if (url.pathname === '/revoke') return (this.revocations.push(sent.get('token')!), new Response());
    return this.#token(sent);
  };

  #identity(token: string | undefined): Response {
    if (this.status !== 200) return new Response('', { status: this.status });
    if (token !== undefined && this.revoked.has(token)) return Response.json({ title: 'Unauthorized', status: 401, detail: 'It is revoked.' }, { status: 401 });
    const endpoints = {
      issuer: 'https://id.example', authorization: 'https://id.example/authorize', token: 'https://id.example/token', endSession: 'https://id.example/logout',
      revocation: 'https://id.example/revoke',
    };
    const login = { clientId: 'dashboard', scope: 'openid operate', resource: 'https://parking.example/api', ...(this.known && { endpoints }) };
    return Response.json({ readPublic: this.readPublic, ...(this.login && { login }), ...(token !== undefined && { principal: this.principal }) });
  }

  async #token(sent: URLSearchParams): Promise<Response> {
    const grant = sent.get('grant_type')!;
    this.#grants.push(grant);
    const refuse = (description: string) => Response.json({ error: 'invalid_grant', error_description: description }, { status: 400 });
    if (this.ended) return refuse('grant revoked');
    if (grant === 'authorization_code') {
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sent.get('code_verifier')!));
      if (base64url(String.fromCharCode(...new Uint8Array(hash))) !== this.#attempt?.get('code_challenge')) return refuse('wrong verifier');
      if (sent.get('code') !== 'code-1' || sent.get('redirect_uri') !== this.#attempt?.get('redirect_uri')) return refuse('wrong code');
    } else if (sent.get('refresh_token') !== `refresh-${this.#tokens}`) {
      return refuse('used before');
    }
    const n = ++this.#tokens;
    const claims = {
      iss: 'https://id.example', aud: 'dashboard', sub: 'otto', name: 'Otto', exp: Date.now() / 1000 + 300, ...(grant === 'authorization_code' && { nonce: this.#attempt?.get('nonce') }),
      ...this.idClaims,
    };
    return Response.json({
      access_token: `access-${n}`, token_type: 'Bearer', expires_in: this.lifetime, id_token: `${encode({ alg: 'RS256' })}.${encode(claims)}.signature`,
      ...(this.refreshes && { refresh_token: `refresh-${n}` }),
    });
  }
}
