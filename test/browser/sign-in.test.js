// Signing in to the dashboard at a provider that is used in the wild, in a real Chromium.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';
import { people, resource, TestProvider } from './provider.js';

const ttl = 10; // seconds that access tokens live: half of it, and they are refreshed
let browser, context, page, faults, hosts, sockets;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(60_000); // a machine may be busy
  page = await context.newPage();
  faults = [];
  hosts = new Set();
  sockets = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => /^(http|ws)/.test(request.url()) && hosts.add(new URL(request.url()).host));
  page.on('websocket', (socket) => {
    const said = [];
    sockets.push({ said, url: socket.url() });
    socket.on('framesent', ({ payload }) => said.push(JSON.parse(payload)));
  });
});

afterEach(() => context.close());

/** A platform that knows the provider, and what tests do with both. */
function withProvider(...settings) {
  const its = {};
  before(async () => {
    its.platform = await Platform.start(async (url) => {
      its.provider = await TestProvider.start({ redirects: [`${url}/signed-in`, `${url}/`], ttl });
      return [
        '--oidc-issuer', its.provider.issuer, '--oidc-audience', resource, '--oidc-client-id', 'dashboard', '--oidc-login-resource', resource,
        '--oidc-login-scope', 'openid profile read operate admin', ...settings,
      ];
    });
    await its.platform.addLot('central', 'Central Station', ['c-01', 'c-02', 'c-03']);
    await its.platform.addLot('harbour', 'Harbour', ['h-01', 'h-02']);
  });
  after(async () => {
    await its.platform?.stop();
    await its.provider?.stop();
  });
  /** From the page where it is now, and back to it. */
  its.signIn = async (person) => {
    await page.getByTestId('sign-in').click();
    await page.getByRole('button', { name: people[person].name }).click();
    await on(page).has(page.getByTestId('account'), 'aria-label', `Signed in as ${people[person].name}`);
  };
  return its;
}

const kept = () => page.evaluate(() => ({ tab: { ...sessionStorage }, lasting: { ...localStorage }, cookies: document.cookie }));
const setback = (reason) => on(page).has(page.getByTestId('setback'), 'data-reason', reason);
const actions = () => page.getByRole('group', { name: 'What you may do' });

describe('where everybody may look', () => {
  const its = withProvider();

  test('one signs in and comes back to where one was, may operate, and nothing secret stays in the address or the browser', async () => {
    const opened = await page.goto(`${its.platform.url}/lots/central?feed=central`);
    assert.ok(opened.headers()['content-security-policy'].includes(` ${its.provider.issuer};`), 'the policy names the provider');
    await on(page).spot('c-01').click();
    assert.equal(await actions().count(), 0, 'who is not signed in is offered nothing');
    await its.signIn('operator');
    assert.equal(page.url(), `${its.platform.url}/lots/central?feed=central&spot=c-01`, 'the spot that was picked is picked again');
    await actions().getByRole('button', { name: 'Mark occupied' }).click();
    await on(page).has(on(page).spot('c-01'), 'data-status', 'occupied');
    await actions().getByRole('button', { name: 'Mark free' }).click();
    await on(page).has(on(page).spot('c-01'), 'data-status', 'free');

    const { tab, lasting, cookies } = await kept();
    assert.deepEqual(Object.keys(tab), ['parkwire.signed-in'], 'of the attempt nothing is left');
    assert.deepEqual(Object.keys(JSON.parse(tab['parkwire.signed-in'])).sort(), ['id', 'refresh'], 'the access token is in no storage');
    assert.deepEqual([lasting, cookies], [{}, '']);
    assert.deepEqual(hosts, new Set([its.platform.listen, new URL(its.provider.issuer).host]), 'no other host than the platform and the provider is asked');
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('what a person may not do is not offered', async () => {
    await page.goto(`${its.platform.url}/lots/central`);
    await its.signIn('reader');
    await on(page).spot('c-01').click();
    assert.equal(await actions().count(), 0);
    await page.getByTestId('account').click();
    assert.match(await page.getByTestId('person').innerText(), /Rea Reader\s+may look in all lots/);
  });

  test('who is limited to lots sees and may change these alone', async () => {
    await page.goto(its.platform.url);
    await on(page).lot('harbour').waitFor();
    await its.signIn('lot-operator');
    await on(page).lot('central').waitFor();
    assert.equal(await on(page).lot('harbour').count(), 0);
    await its.platform.act('h-01', 'occupy');
    await its.platform.act('c-02', 'occupy');
    await on(page).feed().filter({ hasText: 'c-02' }).waitFor();
    assert.equal(await on(page).feed().filter({ hasText: 'h-01' }).count(), 0);
    await on(page).lot('central').click();
    await on(page).spot('c-02').click();
    await actions().getByRole('button', { name: 'Mark free' }).click();
    await on(page).has(on(page).spot('c-02'), 'data-status', 'free');
    await its.platform.act('h-01', 'release');
  });

  test('the page loaded again stays signed in, a second tab and a copy of the tab do not', async () => {
    await page.goto(its.platform.url);
    await its.signIn('operator');
    await page.reload();
    await on(page).has(page.getByTestId('account'), 'aria-label', 'Signed in as Otto Operator');
    const second = await context.newPage();
    await second.goto(its.platform.url);
    await second.getByTestId('sign-in').waitFor();

    const copied = JSON.stringify(await page.evaluate(() => ({ ...sessionStorage })));
    await second.evaluate((text) => Object.assign(sessionStorage, JSON.parse(text)), copied);
    await second.reload();
    await on(second).has(second.getByTestId('setback'), 'data-reason', 'duplicate');
    await second.getByTestId('sign-in').waitFor();
    await page.reload(); // and the first one is not disturbed
    await on(page).has(page.getByTestId('account'), 'aria-label', 'Signed in as Otto Operator');
  });

  test('the token is refreshed on the living WebSocket, which is not opened anew', async () => {
    await page.goto(its.platform.url);
    await its.signIn('operator');
    await on(page).connected();
    const living = sockets.at(-1);
    const first = new URL(living.url).searchParams.get('access_token');
    const tokens = () => living.said.filter(({ type }) => type === 'Authenticate').map(({ token }) => token);
    for (const deadline = Date.now() + 90_000; tokens().length < 2; ) {
      assert.ok(Date.now() < deadline, 'no fresh token was sent');
      await page.waitForTimeout(200);
    }
    assert.equal(new Set([first, ...tokens()]).size, 3, 'each is another one');
    assert.equal(sockets.at(-1), living, 'the connection is the same');
    await on(page).connected();
    await its.platform.act('c-03', 'occupy');
    await on(page).feed().filter({ hasText: 'c-03' }).waitFor();
    await its.platform.act('c-03', 'release');
    assert.equal(await page.getByTestId('setback').count(), 0, 'the person hears nothing of it');
    assert.deepEqual(faults, [], 'nothing is reported on the console');
  });

  test('what the platform has revoked is replaced at once, and the page hears of changes again', async () => {
    await page.goto(its.platform.url);
    await its.signIn('operator');
    await on(page).connected();
    const before = sockets.length;
    await its.platform.request('POST', '/api/v1/revocations', { subject: 'oidc:operator' });
    for (const deadline = Date.now() + 60_000; sockets.length === before; ) {
      assert.ok(Date.now() < deadline, 'the stream of a revoked token goes on');
      await page.waitForTimeout(50);
    }
    await on(page).connected();
    await its.platform.act('c-03', 'occupy');
    await on(page).feed().filter({ hasText: 'c-03' }).waitFor();
    await its.platform.act('c-03', 'release');
    await on(page).has(page.getByTestId('account'), 'aria-label', 'Signed in as Otto Operator');
  });

  test('what the provider has ended is told, and the page goes on for everybody', async () => {
    await page.goto(`${its.platform.url}/lots/central`);
    await its.signIn('operator');
    its.provider.forget();
    await setback('ended');
    await page.getByTestId('sign-in').waitFor();
    await on(page).connected();
    await its.platform.act('c-03', 'occupy');
    await on(page).has(on(page).spot('c-03'), 'data-status', 'occupied');
    await its.platform.act('c-03', 'release');
    await on(page).spot('c-03').click();
    assert.equal(await actions().count(), 0);
    await its.signIn('operator');
  });

  test('while the provider is away the page goes on, and is signed in again when it is back', async () => {
    await page.goto(its.platform.url);
    await its.signIn('operator');
    its.provider.away = true;
    try {
      await page.reload();
      await setback('unreachable');
      await on(page).lot('harbour').waitFor();
    } finally {
      its.provider.away = false;
    }
    await on(page).has(page.getByTestId('account'), 'aria-label', 'Signed in as Otto Operator');
    await on(page).connected();
    assert.equal(await page.getByTestId('setback').count(), 0);
  });

  test('who signs out is forgotten by the page and by the provider', async () => {
    await page.goto(`${its.platform.url}/lots/harbour`);
    await its.signIn('operator');
    await page.getByTestId('account').click();
    await page.getByTestId('sign-out').click();
    await page.getByRole('button', { name: 'Sign out' }).click(); // the provider asks too, where it was not told who it is
    await page.getByTestId('sign-in').waitFor();
    assert.equal(page.url(), `${its.platform.url}/`);
    assert.deepEqual((await kept()).tab, {});
    await page.getByTestId('sign-in').click();
    await page.getByRole('button', { name: 'Ada Admin' }).waitFor(); // it asks who it is
  });

  test('who gives up at the provider is told so, and an answer that nobody asked for is not taken', async () => {
    await page.goto(`${its.platform.url}/lots/harbour`);
    await page.getByTestId('sign-in').click();
    await page.getByRole('button', { name: 'Nobody' }).click();
    await setback('failed');
    assert.equal(page.url(), `${its.platform.url}/lots/harbour`);
    await page.goto(`${its.platform.url}/signed-in?code=stolen&state=forged`);
    await setback('failed');
    assert.equal(page.url(), `${its.platform.url}/`);
    await page.getByTestId('sign-in').waitFor();
  });
});

describe('where one must sign in to look', () => {
  const its = withProvider('--read-public=false');

  test('nothing is shown before, and nothing after', async () => {
    await page.goto(`${its.platform.url}/lots/central`);
    await page.getByTestId('locked').waitFor();
    assert.equal(await page.getByText('Central Station').count(), 0);
    assert.deepEqual(faults, [], 'nothing is asked that would be refused');
    await page.getByTestId('locked').getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Rea Reader' }).click();
    await on(page).spot('c-01').waitFor();
    await on(page).connected();
    its.provider.forget();
    await page.getByTestId('locked').waitFor({ timeout: 90_000 });
    await setback('ended');
    assert.equal(await page.getByText('Central Station').count(), 0, 'what was seen is not shown any more');
    assert.equal(await page.title(), 'Parkwire');
  });
});

describe('where there is no provider', () => {
  let platform;
  before(async () => {
    platform = await Platform.start(async () => ['--read-public=false']);
    await platform.addLot('central', 'Central Station', ['c-01', 'c-02']);
  });
  after(() => platform?.stop());

  test('a token is taken, stays in the tab alone, and ends when it says', async () => {
    await page.goto(`${platform.url}/lots/central`);
    await page.getByLabel('Token').fill('no token');
    await page.getByRole('button', { name: 'Use it' }).click();
    await setback('refused');
    await page.getByLabel('Token').fill(platform.token('--scope', 'operate', '--ttl', '15s', '--subject', 'otto'));
    await page.getByRole('button', { name: 'Use it' }).click();
    await on(page).spot('c-01').click();
    await actions().getByRole('button', { name: 'Close the spot' }).click();
    await on(page).has(on(page).spot('c-01'), 'data-status', 'closed');
    await setback('ending');
    const { lasting, cookies } = await kept();
    assert.deepEqual([lasting, cookies], [{}, '']);
    await setback('expired');
    await page.getByTestId('locked').waitFor();
  });
});

describe('a page that the browser shows again as it was left', () => {
  let platform;
  before(async () => {
    platform = await Platform.start(async () => ['--read-public=false']);
    await platform.addLot('central', 'Central Station', ['c-01', 'c-02']);
  });
  after(() => platform?.stop());

  const signIn = async () => {
    await page.goto(`${platform.url}/lots/central`);
    await page.getByLabel('Token').fill(platform.token('--scope', 'operate', '--subject', 'otto'));
    await page.getByRole('button', { name: 'Use it' }).click();
    await on(page).spot('c-01').waitFor();
  };
  /** The same as after "back", where the browser kept the page: the policy of this Chromium is never to keep it. */
  const comeBack = () => page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  const nobody = async () => {
    await page.getByTestId('locked').waitFor();
    assert.equal(await page.getByText('Central Station').count(), 0);
    assert.equal(await on(page).spot('c-01').count(), 0);
  };

  test('shows nothing to whoever goes back after somebody has signed out', async () => {
    await signIn();
    await page.getByTestId('account').click();
    await page.getByTestId('sign-out').click();
    await page.waitForURL(`${platform.url}/`);
    await nobody();
    await page.goBack();
    await nobody();
    assert.deepEqual((await kept()).tab, {});
  });

  test('and that was signed out behind it forgets who was here', async () => {
    await signIn();
    await comeBack();
    await on(page).spot('c-01').waitFor();
    await page.evaluate(() => sessionStorage.clear()); // as the next page of the tab does when somebody signs out there
    await comeBack();
    await nobody();
  });
});

describe('on a telephone of 360 pixels', () => {
  const its = withProvider();

  test('it fits, whoever is signed in and whatever is said', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const fits = async (what) => {
      const [content, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(content <= shown, `${what}: the page is ${content} px wide on a screen of ${shown} px`);
    };
    await page.goto(`${its.platform.url}/lots/central`);
    await page.getByTestId('sign-in').waitFor();
    await fits('before');
    await its.signIn('lot-operator');
    await on(page).spot('c-01').click();
    await actions().waitFor();
    await fits('with actions');
    await page.getByTestId('account').click();
    await page.getByTestId('sign-out').waitFor();
    await fits('with the menu');
    its.provider.forget();
    await setback('ended');
    await fits('after the end');
  });
});
