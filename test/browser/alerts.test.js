// Being told: rules written in the dashboard, alerts in the page, at webhooks and in browsers that are closed.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';
import { deliver, startReceiver, subscribeTo } from './receiver.js';

let browser, platform, receiver, context, page, faults, token, people = 0;

before(async () => {
  receiver = await startReceiver();
  browser = await launch();
  platform = await Platform.start(async () => ['--alerts-vapid-subject', 'mailto:ops@example.org', '--alerts-webhook-allow', '127.0.0.1/32']);
  await platform.addLot('central', 'Central Station', ['c-01', 'c-02', 'c-03']);
  await platform.addLot('harbour', 'Harbour', ['h-01', 'h-02']);
});

after(async () => {
  await browser?.close();
  await platform?.stop();
  await receiver?.close();
});

beforeEach(async () => {
  token = platform.token('--scope', 'read', '--subject', `anna-${++people}`); // each test has rules of its own
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(60_000); // a machine may be busy
  await context.addInitScript((typed) => sessionStorage.setItem('parkwire.signed-in', JSON.stringify({ id: '', typed })), token);
  faults = [];
  page = await open();
  for (const id of ['c-01', 'c-02', 'c-03']) await put(id, 'occupied');
});

afterEach(() => context.close());

async function open() {
  const opened = await context.newPage();
  opened.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  opened.on('pageerror', (error) => faults.push(String(error)));
  return opened;
}

/** Brings a spot to a status, whatever it is now. */
async function put(spotId, status) {
  const { status: now } = await platform.request('GET', `/api/v1/spots/${spotId}`);
  if (now !== status) await platform.act(spotId, status === 'free' ? 'release' : 'occupy');
}

/** A request of the one who looks at the page. */
const ask = async (path) => (await fetch(platform.url + path, { headers: { authorization: `Bearer ${token}` } })).json();

const toast = (of = page) => of.getByTestId('toast');
/** Waits until a page hears what is told: what was told before is in its list alone. */
const hears = (of = page) => on(of).has(of.getByTestId('toasts'), 'data-state', 'open');
const save = () => page.getByTestId('editor').getByRole('button', { name: 'Save' }).click();

/** Writes a rule about a spot that is free in the central lot. */
async function addRule(name, more = async () => {}) {
  await page.goto(`${platform.url}/alerts?rule=new&lot=central`);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await more();
  await save();
  await on(page).has(page.getByTestId('rule').filter({ hasText: name }), 'data-state', 'armed');
  await hears();
}

describe('rules', () => {
  test('who is not signed in is told why that is needed, and comes back to the rule that was begun', async () => {
    const stranger = await browser.newContext();
    const theirs = await stranger.newPage();
    await theirs.goto(`${platform.url}/alerts?rule=new&lot=harbour`);
    const form = theirs.getByTestId('sign-in-first');
    await form.getByLabel('Token').fill(token);
    await form.getByRole('button', { name: 'Use it' }).click();
    await theirs.getByTestId('editor').waitFor();
    assert.equal(await theirs.locator('select[name="lot"]').inputValue(), 'harbour');
    await stranger.close();
  });

  test('a rule is written with days, hours and quiet hours, is said in words, and changed', async () => {
    await page.goto(`${platform.url}/alerts`);
    await page.getByTestId('new-rule').click();
    await save();
    await page.getByTestId('editor').getByRole('alert').filter({ hasText: 'beside the fields' }).waitFor();
    await page.locator('select[name="lot"]').selectOption('central');
    await page.getByRole('radio', { name: 'So many spots are free' }).check();
    await page.locator('input[name="count"]').fill('2');
    await page.getByRole('button', { name: 'Add days and hours' }).click();
    await page.getByTestId('hours').getByRole('checkbox', { name: 'Friday' }).uncheck();
    await page.getByRole('button', { name: 'Add quiet hours' }).click();
    await page.getByRole('radio', { name: 'Do not tell me' }).check();
    assert.match(await page.getByTestId('sentence').innerText(), /^Tell me when at least 2 spots are free in Central Station; only Mon–Thu 07:00–19:00; not 22:00–07:00, nor afterwards/);
    await save();
    await page.getByTestId('rule').waitFor();
    const { items: [rule] } = await ask('/api/v1/alerts/rules');
    assert.deepEqual(
      [rule.name, rule.target, rule.condition.type, rule.condition.count, rule.hours, rule.quietHours.map(({ days, ...span }) => ({ days: days.length, ...span })), rule.quietHoursThen],
      ['So many spots are free: Central Station', { lotId: 'central' }, 'free_at_least', 2, [{ days: ['mon', 'tue', 'wed', 'thu'], from: '07:00', to: '19:00' }], [{ days: 7, from: '22:00', to: '07:00' }], 'drop'],
    );

    await page.getByRole('link', { name: /^Edit/ }).click();
    await page.getByRole('button', { name: 'Remove Hours 1' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('Evenings');
    await save();
    await page.getByTestId('rule').filter({ hasText: 'Evenings' }).waitFor();
    const { items: [changed] } = await ask('/api/v1/alerts/rules');
    assert.deepEqual([changed.id, changed.name, changed.hours, changed.quietHours?.length], [rule.id, 'Evenings', undefined, 1]);

    await page.getByRole('switch', { name: 'Rule Evenings' }).click();
    await on(page).has(page.getByTestId('rule'), 'data-state', 'off');
    await page.getByRole('button', { name: 'Remove Evenings' }).click();
    await page.getByRole('button', { name: 'Yes, remove' }).click();
    await page.getByText('You have no rules yet').waitFor();
    assert.deepEqual((await ask('/api/v1/alerts/rules')).items, []);
    assert.deepEqual(faults, []);
  });

  test('who was overtaken is told, and may save all the same', async () => {
    await addRule('Mine');
    await page.getByRole('link', { name: 'Edit Mine' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Mine again');
    const { items: [rule] } = await ask('/api/v1/alerts/rules');
    await fetch(`${platform.url}/api/v1/alerts/rules/${rule.id}`, {
      method: 'PATCH', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ cooldownSeconds: 60 }),
    });
    await save();
    await page.getByRole('button', { name: 'Save my changes all the same' }).click();
    await page.getByTestId('rule').filter({ hasText: 'Mine again' }).waitFor();
    const { items: [both] } = await ask('/api/v1/alerts/rules');
    assert.deepEqual([both.name, both.cooldownSeconds], ['Mine again', 60]);
  });
});

describe('in the page', () => {
  test('an alert is told in every open page of its subject, wherever one looks, and is in the list', async () => {
    await addRule('Work');
    const other = await open();
    await other.goto(`${platform.url}/lots/harbour`);
    for (const each of [page, other]) await hears(each);
    await put('c-02', 'free');
    for (const each of [page, other]) await toast(each).filter({ hasText: 'Central Station: spot c-02 is free.' }).waitFor();
    await on(page).has(page.getByTestId('rule'), 'data-state', 'spoken');
    // A second free spot says nothing. That is known when another rule has told of what happened to the same spot afterwards.
    await fetch(`${platform.url}/api/v1/alerts/rules`, {
      method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Fence', target: { spotId: 'c-03' }, condition: { type: 'any_free' }, cooldownSeconds: 0 }),
    });
    for (const status of ['free', 'occupied', 'free']) await put('c-03', status);
    await page.getByRole('link', { name: /^Told/ }).click();
    await page.getByTestId('decision').filter({ hasText: 'Fence' }).nth(1).waitFor();
    assert.equal(await page.getByTestId('decision').filter({ hasText: 'Work' }).count(), 1, 'a second free spot says nothing');
    assert.equal(await toast(page).count(), 3);
    await toast(other).filter({ hasText: 'c-02' }).getByRole('link', { name: 'Show' }).click();
    await other.waitForURL('**/spots/c-02');
    assert.equal(await toast(other).filter({ hasText: 'c-02' }).count(), 0, 'what was followed is dismissed');
    assert.deepEqual(faults, []);
  });

  test('a rule that speaks once is done, and may begin once more', async () => {
    await addRule('This time', () => page.getByRole('radio', { name: 'Once', exact: true }).check());
    await put('c-01', 'free');
    await toast().waitFor();
    await on(page).has(page.getByTestId('rule'), 'data-state', 'done');
    await page.getByRole('button', { name: 'Once more' }).click();
    await toast().nth(1).waitFor(); // it is so already, and it says so at once
    await page.getByRole('button', { name: 'Dismiss all' }).click();
    assert.equal(await toast().count(), 0);
  });

  test('what is told while the platform is away from the page comes when it is back', async () => {
    await addRule('Work');
    await page.goto(`${platform.url}/lots/harbour`);
    await on(page).connected();
    await hears();
    await platform.kill();
    await on(page).connected('reconnecting');
    await platform.restart();
    await put('c-01', 'free');
    await toast().filter({ hasText: 'c-01 is free' }).waitFor();
    assert.equal(await toast().count(), 1);
  });

  test('what was told while no page was open is counted until it is seen', async () => {
    await addRule('Work');
    await page.close();
    await put('c-01', 'free');
    while ((await ask('/api/v1/alerts/decisions')).items.length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    page = await open();
    await page.goto(platform.url);
    const link = page.locator('a[data-view-link="alerts"]');
    await link.getByText('1 unread', { exact: true }).waitFor({ state: 'attached' });
    assert.equal(await toast().count(), 0, 'it is old');
    await page.goto(`${platform.url}/alerts?show=told`);
    await on(page).has(page.getByTestId('decision'), 'data-new', 'true');
    await link.getByText('1 unread', { exact: true }).waitFor({ state: 'detached' });
  });
});

describe('where it is sent', () => {
  test('a webhook has its secret told once, is tested, and is sent what its rules tell', async () => {
    await page.goto(`${platform.url}/alerts?show=ways`);
    const form = page.getByTestId('add-webhook');
    await form.getByLabel('Address').fill('ftp://example.org');
    await form.getByRole('button', { name: 'Add the webhook' }).click();
    await form.getByRole('alert').waitFor();
    await form.getByLabel('Address').fill(`${receiver.url}/hook-${people}`);
    await form.getByLabel('Name').fill('Barrier');
    await form.getByRole('button', { name: 'Add the webhook' }).click();
    assert.match(await form.getByTestId('secret').locator('code').innerText(), /^whsec_/);
    const channel = page.getByTestId('channel');
    await channel.getByRole('button', { name: 'Send a test' }).click();
    await on(page).has(channel.getByTestId('test'), 'data-state', 'delivered');
    await addRule('Work', () => page.getByRole('checkbox', { name: /Barrier/ }).check());
    await put('c-01', 'free');
    await toast().waitFor();
    await page.goto(`${platform.url}/alerts?show=sent`);
    await page.getByTestId('delivery').nth(1).waitFor();
    for (const i of [0, 1]) await on(page).has(page.getByTestId('delivery').nth(i), 'data-state', 'delivered');
    const [tested, told] = receiver.of(`/hook-${people}`).map(({ body }) => JSON.parse(body));
    assert.deepEqual([tested.type, told.type, told.data.text], ['channel.test', 'alert.fired', 'Central Station: spot c-01 is free.']);
    await page.reload();
    await page.getByTestId('delivery').first().waitFor();
    await page.goto(`${platform.url}/alerts?show=ways`);
    await channel.waitFor();
    assert.equal(await page.getByTestId('secret').count(), 0);
  });

  test('where the operator has set up no mail, the page says so in place', async () => {
    await page.goto(`${platform.url}/alerts?show=ways`);
    const form = page.getByTestId('add-mail');
    await form.getByLabel('Mail address').fill('anna@example.org');
    await form.getByRole('button', { name: 'Add the mailbox' }).click();
    await form.getByText('This installation sends no mail').waitFor();
  });

  test('a browser subscribes, and its service worker shows what is pushed', async () => {
    await context.grantPermissions(['notifications'], { origin: platform.url });
    await context.addInitScript(subscribeTo, `${receiver.url}/push-${people}`);
    await page.goto(`${platform.url}/alerts?show=ways`);
    const own = page.getByTestId('this-browser');
    await own.getByRole('button', { name: 'Notify this browser' }).click();
    await on(page).has(own, 'data-state', 'active');
    await addRule('Work', () => page.getByRole('checkbox', { name: /Browser/ }).check());
    await put('c-01', 'free');
    await toast().waitFor();
    const pushed = await receiver.first(`/push-${people}`);
    assert.equal(pushed.headers['content-encoding'], 'aes128gcm');
    assert.match(pushed.headers.authorization, /^vapid t=/);

    const { items: [decision] } = await ask('/api/v1/alerts/decisions');
    assert.deepEqual(await deliver(context, page, { id: 'x', type: 'alert.fired', data: decision }), ['Work', 'Central Station: spot c-01 is free.', '/spots/c-01']);
  });

  test('where notifications are blocked, the page says what to do', async () => {
    await page.addInitScript(() => Object.defineProperty(Notification, 'permission', { get: () => 'denied' }));
    await page.goto(`${platform.url}/alerts?show=ways`);
    await on(page).has(page.getByTestId('while-open'), 'data-permission', 'denied');
    await on(page).has(page.getByTestId('this-browser'), 'data-state', 'denied');
    await page.getByText('Notifications are blocked for this page').first().waitFor();
  });
});
