import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Account } from '../src/identity/account';
import { TabStorage } from '../src/identity/storage';
import { Provider } from './provider';

let provider: Provider;
let stored: Map<string, string>;
let left: string[];
let changed: ReturnType<typeof vi.fn<() => void>>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_800_000_000_000 });
  provider = new Provider();
  stored = new Map();
  left = [];
  changed = vi.fn();
});

afterEach(() => {
  vi.useRealTimers();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** The page as it is loaded, in the same tab. */
function load(arrival?: string, more: { secure?: boolean } = {}): Account {
  return new Account(
    {
      storage: new TabStorage({
        getItem: (name) => stored.get(name) ?? null, setItem: (name, value) => void stored.set(name, value), removeItem: (name) => void stored.delete(name),
      }),
      request: provider.fetch, origin: 'https://parking.example', leave: (address) => left.push(address), locks: undefined, secure: true, ...more,
    },
    arrival === undefined ? undefined : new URL(arrival).searchParams,
    changed,
  );
}

/** Signs in, and gives the page that is loaded then. */
async function signIn(): Promise<Account> {
  const before = load();
  void before.token(); // which waits where one must sign in first
  await vi.waitUntil(() => before.way.value);
  await before.signIn('/lots/central');
  const account = load(provider.authorize(left.pop()!));
  await account.token();
  return account;
}

describe('signing in', () => {
  test('is by a code with PKCE, and gives a token, a name and what one may do', async () => {
    const account = await signIn();
    expect(await account.token()).toBe('access-1');
    expect(account.person.value).toMatchObject({ name: 'Otto', subject: 'otto', scope: 'operate' });
    expect([account.may('read', 'any'), account.may('operate', 'any'), account.may('admin', 'any')]).toEqual([true, true, false]);
    expect(account.setback.value).toBeUndefined();
    expect([...stored.values()].join(), 'the access token is not stored').not.toContain('access-1');
  });

  test('asks for nothing else before, and remembers where one was', async () => {
    const account = load();
    expect(await account.token()).toBeUndefined();
    expect(account.way.value).toBe('provider');
    await account.signIn('/lots/central?feed=a');
    const asked = new URL(left[0]!);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: 'code', client_id: 'dashboard', redirect_uri: 'https://parking.example/signed-in', scope: 'openid operate', resource: 'https://parking.example/api',
      code_challenge_method: 'S256',
    });
    expect(new TabStorage({ getItem: (name) => stored.get(name) ?? null, setItem() {}, removeItem() {} }).back).toBe('/lots/central?feed=a');
  });

  test.each<[string, (answer: URL) => void]>([
    ['with another state', (answer) => answer.searchParams.set('state', 'forged')],
    ['from another provider', (answer) => answer.searchParams.set('iss', 'https://other.example')],
    ['without a code', (answer) => answer.searchParams.delete('code')],
    ['with another code', (answer) => answer.searchParams.set('code', 'stolen')],
    ['that refuses', (answer) => answer.searchParams.set('error', 'access_denied')],
  ])('does not take an answer %s', async (_, forge) => {
    const before = load();
    await before.token();
    await before.signIn('/');
    const answer = new URL(provider.authorize(left.pop()!));
    forge(answer);
    const account = load(answer.href);
    expect(await account.token()).toBeUndefined();
    expect(account.setback.value?.reason).toBe('failed');
    expect(await load(answer.href).token(), 'and the attempt is spent').toBeUndefined();
  });

  test.each<[string, Record<string, unknown>]>([
    ['another issuer', { iss: 'https://other.example' }],
    ['another client', { aud: 'other' }],
    ['several, of which this is not the one', { aud: ['dashboard', 'other'], azp: 'other' }],
    ['another attempt', { nonce: 'other' }],
    ['another time', { exp: 1_000_000_000 }],
  ])('does not take an ID token of %s', async (_, claims) => {
    provider.idClaims = claims;
    const account = await signIn();
    expect(account.person.value).toBeUndefined();
    expect(account.setback.value?.detail).toMatch(/The ID token/);
  });

  test('an answer that nobody began is not taken', async () => {
    const account = load('https://parking.example/signed-in?code=1&state=1');
    expect(await account.token()).toBeUndefined();
    expect(account.setback.value).toEqual({ reason: 'failed', detail: 'It was not begun in this tab.' });
  });

  test('needs an encrypted page, and a provider that was reached', async () => {
    const account = load(undefined, { secure: false });
    await account.token();
    expect(account.way.value).toBe('insecure');
    provider.known = false;
    const early = load();
    await early.token();
    expect(early.way.value).toBe('unreachable');
    provider.known = true;
    await pass(10_000);
    expect(early.way.value, 'it is asked for again').toBe('provider');
  });

  test('is asked for again also after the platform did not answer meanwhile', async () => {
    provider.known = false;
    const account = load();
    await account.token();
    provider.status = 503;
    await pass(20_000);
    expect(account.way.value).toBe('unreachable');
    provider.status = 200;
    provider.known = true;
    await pass(10_000);
    expect(account.way.value).toBe('provider');
  });
});

describe('the token', () => {
  test('is refreshed a minute before it expires, once for all who ask', async () => {
    const account = await signIn();
    await pass(239_000);
    expect(await account.token()).toBe('access-1');
    await pass(1_000);
    expect(await Promise.all([account.token(), account.token(), account.token()])).toEqual(['access-2', 'access-2', 'access-2']);
    expect(provider.asked('refresh_token')).toBe(1);
    expect(changed).not.toHaveBeenCalled();
  });

  test('that lives for less than two minutes is refreshed after half of its life', async () => {
    provider.lifetime = 20;
    const account = await signIn();
    await pass(9_000);
    expect(await account.token()).toBe('access-1');
    await pass(1_000);
    expect(await account.token()).toBe('access-2');
  });

  test('is fetched anew after the page was loaded again, by the newest refresh token', async () => {
    const account = await signIn();
    await pass(240_000);
    await account.token();
    const again = load();
    expect(await again.token()).toBe('access-3');
    expect(again.person.value?.name).toBe('Otto');
  });

  test('that the platform refuses is replaced, and where the next one is refused too the sign-in has ended', async () => {
    const account = await signIn();
    provider.revoked.add('access-1');
    account.refused('access-1');
    account.refused('access-1');
    const fresh = account.token();
    await pass(999);
    expect(provider.asked('refresh_token'), 'one of the same second would be refused too').toBe(0);
    await pass(1);
    expect(await fresh).toBe('access-2');
    provider.revoked.add('access-2').add('access-3');
    await account.check();
    const none = account.token();
    await pass(1_000);
    expect(await none).toBeUndefined();
    expect(account.setback.value?.reason).toBe('refused');
    expect(changed).toHaveBeenCalledTimes(1);
    expect(stored.size).toBe(0);
  });

  test('is nobody’s where the provider has ended it', async () => {
    const account = await signIn();
    provider.ended = true;
    await pass(240_000);
    expect(await account.token()).toBeUndefined();
    expect(account.setback.value).toEqual({ reason: 'ended', detail: 'grant revoked' });
    expect(changed).toHaveBeenCalledTimes(1);
    expect(await load().token(), 'also when the page is loaded again').toBeUndefined();
  });

  test('holds on while the provider is away, and then the page is nobody’s until it is back', async () => {
    const account = await signIn();
    provider.away = true;
    await pass(250_000);
    expect(await account.token()).toBe('access-1');
    await pass(50_000);
    expect(await account.token()).toBeUndefined();
    expect([account.setback.value?.reason, account.person.value]).toEqual(['unreachable', undefined]);
    expect(changed).toHaveBeenCalledTimes(1);
    provider.away = false;
    await pass(10_000);
    expect(await account.token()).toBe('access-2');
    expect([account.setback.value, account.person.value?.name]).toEqual([undefined, 'Otto']);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test('of the next person is not taken for the one before', async () => {
    const account = await signIn();
    provider.ended = true;
    await pass(240_000);
    await account.token();
    provider.principal = { subject: 'rea', scopes: ['read'] };
    const taken = account.useToken('typed');
    expect(account.person.value).toBeUndefined();
    await taken;
    expect(account.person.value?.subject).toBe('rea');
  });

  test('without a refresh token ends when it says', async () => {
    provider.refreshes = false;
    const account = await signIn();
    expect(account.endsAt.value).toBe(Date.now() + 300_000);
    await pass(300_000);
    expect(await account.token()).toBeUndefined();
    expect(account.setback.value?.reason).toBe('expired');
  });

  test('of somebody who may see other lots from now on changes the page', async () => {
    const account = await signIn();
    provider.principal = { subject: 'otto', scopes: ['operate'], lots: ['central'] };
    await pass(240_000);
    await account.token();
    expect(changed).toHaveBeenCalledTimes(1);
    expect([account.may('operate', 'central'), account.may('operate', 'harbour')]).toEqual([true, false]);
  });
});

describe('where one must sign in', () => {
  test('whoever asks for the token waits', async () => {
    provider.readPublic = false;
    provider.login = false;
    const account = load();
    const token = vi.fn();
    void account.token().then(token);
    await pass(60_000);
    expect(account.locked.value).toBe(true);
    expect(token).not.toHaveBeenCalled();
    expect(account.way.value).toBe('token');
    await account.useToken('typed');
    await pass(0);
    expect(token).toHaveBeenCalledWith('typed');
    expect(account.person.value?.subject).toBe('otto');
    expect(await load().token(), 'it lasts as long as the tab').toBe('typed');
  });

  test('a provider that is away is no sign-out', async () => {
    provider.readPublic = false;
    await signIn();
    provider.away = true;
    const again = load();
    await expect(again.token()).rejects.toThrow(/goes on as soon as it answers/);
    expect(again.locked.value).toBe(false);
    provider.away = false;
    expect(await again.token()).toBe('access-2');
  });
});

describe('signing out', () => {
  test('ends it at the provider too', async () => {
    const account = await signIn();
    account.signOut();
    const address = new URL(left[0]!);
    expect(address.origin + address.pathname).toBe('https://id.example/logout');
    expect(address.searchParams.get('post_logout_redirect_uri')).toBe('https://parking.example/');
    expect(address.searchParams.get('id_token_hint')).not.toBeNull();
    expect(provider.revocations).toEqual(['refresh-1']);
    expect(stored.size).toBe(0);
  });

  test('forgets who was here before it leaves, as browsers show the page again as it was left', async () => {
    const account = await signIn();
    left.length = 0;
    changed.mockImplementation(() => void left.push('forgotten'));
    account.signOut();
    expect(left[0]).toBe('forgotten');
    expect([account.person.value, await account.token()]).toEqual([undefined, undefined]);
  });

  test('while the token is refreshed stays so, and the fresh one is ended too', async () => {
    const account = await signIn();
    await pass(240_000);
    const token = account.token();
    while (provider.asked('refresh_token') === 0) await Promise.resolve();
    account.signOut();
    expect(await token).toBeUndefined();
    expect([account.person.value, account.setback.value, stored.size]).toEqual([undefined, undefined, 0]);
    expect(provider.revocations).toEqual(['refresh-1', 'refresh-2']);
  });

  test('of a typed token is forgetting it', async () => {
    provider.login = false;
    const account = load();
    await account.token();
    await account.useToken('typed');
    account.signOut();
    expect(left).toEqual(['/']);
    expect(stored.size).toBe(0);
  });
});

describe('a page that the browser shows again as it was left', () => {
  test('goes on where nothing has changed', async () => {
    const account = await signIn();
    expect(account.returned()).toBe(true);
    await pass(240_000);
    await account.token();
    expect(account.returned(), 'also after it refreshed its token').toBe(true);
    expect(account.person.value?.name).toBe('Otto');
  });

  test('forgets who was here where the tab was signed out since, or goes on by another token', async () => {
    const account = await signIn();
    const later = load();
    await later.token();
    expect(account.returned(), 'its refresh token was used').toBe(false);
    expect([account.person.value, await account.token()]).toEqual([undefined, undefined]);
    expect(provider.asked('refresh_token'), 'and is not used again').toBe(1);
    expect(later.returned()).toBe(true);
    stored.clear();
    expect([later.returned(), later.person.value]).toEqual([false, undefined]);
  });
});

test('a page that everybody could see and nobody can any more says that one must sign in', async () => {
  provider.login = false;
  const account = load();
  expect(await account.token()).toBeUndefined();
  provider.readPublic = false;
  account.refused(undefined);
  await vi.waitUntil(() => account.locked.value);
  expect(account.way.value).toBe('token');
});

test('a token that is typed in while another one is looked at is looked at too', async () => {
  provider.login = false;
  const account = load();
  await account.token();
  const first = account.useToken('first');
  provider.principal = { subject: 'rea', scopes: ['read'] };
  await account.useToken('second');
  await first;
  expect([await account.token(), account.person.value?.subject, account.who()]).toEqual(['second', 'rea', 'rea']);
});

test('a platform that is older than the page has no sign-in, and one that is away is asked again', async () => {
  provider.status = 503;
  const account = load();
  await expect(account.token()).rejects.toThrow();
  provider.status = 404;
  expect(await account.token()).toBeUndefined();
  expect(account.locked.value).toBe(false);
});
