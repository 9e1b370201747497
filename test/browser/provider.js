// An OpenID provider that is used in the wild (oidc-provider, certified), with people who sign in by pressing their name. The browser tests start
// it in their process; `node provider.js --redirect URL…` starts it as one of its own, which prints {"issuer":"http://127.0.0.1:PORT"} when it
// can be asked. Options: --port N, --ttl SECONDS of access tokens, --client ID.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Provider, { interactionPolicy } from 'oidc-provider';

/** What access tokens are for. */
export const resource = 'https://parking.test/api';

/** Who can sign in: what they may do, and in which lots. */
export const people = {
  reader: { name: 'Rea Reader', scope: 'read' },
  operator: { name: 'Otto Operator', scope: 'read operate' },
  admin: { name: 'Ada Admin', scope: 'read operate admin' },
  'lot-operator': { name: 'Lotte Operator', scope: 'read operate', lots: ['central'] },
};

export class TestProvider {
  #provider;
  #server;
  /** While it is true nobody gets an answer. */
  away = false;

  /** redirects: addresses of the page to which people are sent back, after they signed in and out. ttl: of access tokens, in seconds. */
  static async start({ redirects, ttl = 300, client = 'dashboard', port = 0 }) {
    const test = new TestProvider();
    test.#server = createServer((request, answer) => (test.away ? request.destroy() : test.#serve(request, answer)));
    test.#server.listen(port, '127.0.0.1');
    await once(test.#server, 'listening');
    test.issuer = `http://127.0.0.1:${test.#server.address().port}`;
    test.#provider = new Provider(test.issuer, configuration(client, redirects, ttl));
    return test;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Ends every sign-in that there is: refresh tokens are worth nothing any more. */
  forget() {
    memory.clear();
  }

  async #serve(request, answer) {
    const interaction = /^\/interaction\/([\w-]+)$/.exec(request.url);
    if (!interaction) return this.#provider.callback()(request, answer);
    if (request.method === 'GET') return ask(answer);
    const accountId = new URLSearchParams(await read(request)).get('person');
    const result = accountId in people ? { login: { accountId } } : { error: 'access_denied', error_description: 'Nobody signed in' };
    await this.#provider.interactionFinished(request, answer, result);
  }
}

function configuration(client, redirects, ttl) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const policy = interactionPolicy.base();
  policy.remove('consent'); // what people may do is known of them
  return {
    adapter: Memory,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'test' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    clients: [{
      client_id: client, token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
      redirect_uris: redirects, post_logout_redirect_uris: redirects,
    }],
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'] },
    conformIdTokenClaims: false, // names are in the ID token
    findAccount: (_, accountId) => accountId in people && { accountId, claims: () => ({ sub: accountId, name: people[accountId].name }) },
    interactions: { policy, url: (_, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const { accountId } = oidc.session;
      const grant = new oidc.provider.Grant({ accountId, clientId: oidc.client.clientId });
      grant.addOIDCScope('openid profile offline_access');
      grant.addResourceScope(resource, people[accountId].scope);
      await grant.save();
      return grant;
    },
    issueRefreshToken: () => true,
    extraTokenClaims: (_, { accountId }) => people[accountId].lots && { lots: people[accountId].lots },
    clientBasedCORS: (_, origin) => redirects.some((address) => new URL(address).origin === origin),
    ttl: { AccessToken: ttl, IdToken: ttl, Session: 3600, Grant: 3600, Interaction: 600, RefreshToken: 3600 },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'read ingest operate admin', audience: resource, accessTokenTTL: ttl, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = `${page('Sign out')}${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`;
        },
      },
    },
  };
}

const page = (title) => `<!doctype html><title>${title}</title><link rel="icon" href="data:,">`;

function ask(answer) {
  const buttons = Object.entries(people).map(([id, { name }]) => `<button name="person" value="${id}">${name}</button>`);
  answer.setHeader('content-type', 'text/html');
  answer.end(`${page('Who are you?')}<form method="post">${buttons.join(' ')} <button name="person" value="">Nobody</button></form>`);
}

async function read(request) {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

/** What the provider remembers. */
const memory = new Map();

class Memory {
  constructor(kind) {
    this.kind = kind;
  }

  async upsert(id, payload, expiresIn) {
    memory.set(`${this.kind} ${id}`, { ...payload, ...(expiresIn && { exp: Math.floor(Date.now() / 1000) + expiresIn }) });
  }

  async find(id) {
    return memory.get(`${this.kind} ${id}`);
  }

  async findByUid(uid) {
    return [...memory].find(([key, payload]) => key.startsWith(`${this.kind} `) && payload.uid === uid)?.[1];
  }

  async consume(id) {
    memory.get(`${this.kind} ${id}`).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    memory.delete(`${this.kind} ${id}`);
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of memory) if (payload.grantId === grantId) memory.delete(key);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, ttl: { type: 'string' }, client: { type: 'string' }, redirect: { type: 'string', multiple: true, default: [] } },
  });
  const { port = '0', ttl = '300', client, redirect } = values;
  const provider = await TestProvider.start({ redirects: redirect, port: Number(port), ttl: Number(ttl), ...(client && { client }) });
  console.log(JSON.stringify({ issuer: provider.issuer }));
}
