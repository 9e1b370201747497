import { afterEach, expect, test, vi } from 'vitest';
import type { AlertsApi } from '../src/alerts/api';
import { bytesOf, isOfAnother, keepSubscribed, subscribe } from '../src/alerts/push';
import { keepLanguage, keptLanguage } from '../src/worker/language';
import { receivePush, shownOf, type PushScope } from '../src/worker/push';

vi.mock('../src/alerts/notify', () => ({ lookAgain: () => undefined })); // which looks at the browser

const decision = { id: 'd1', ruleName: 'Work', text: 'Central Garage: 2 spots are free.', target: { lotId: 'central' }, lotId: 'central' };

test('a message is shown with the name of its rule, and leads to what it tells of', () => {
  expect(shownOf({ type: 'alert.fired', data: decision })).toEqual({ title: 'Work', body: 'Central Garage: 2 spots are free.', tag: 'alert-d1', path: '/lots/central' });
  expect(shownOf({ type: 'alert.fired', data: { ...decision, spotId: 'c-01' } }).path).toBe('/spots/c-01');
  expect(shownOf({ type: 'alert.fired', data: { id: 'd1', text: 'Much', ruleId: 'r', cut: true } })).toEqual({ title: 'Parkwire', body: 'Much', tag: 'alert-d1', path: '/alerts?show=told' });
  expect(shownOf({ type: 'channel.test', data: { id: 'x', text: 'A test' } }).path).toBe('/alerts?show=sent');
  for (const odd of [undefined, null, 'text', { data: 7 }]) expect(shownOf(odd).title).toBe('Parkwire');
});

type Listener = (event: { waitUntil: (work: Promise<unknown>) => void } & Record<string, unknown>) => void;

/** A place where the page may have said which language it speaks. */
const shelf = (language?: string) => {
  const kept = new Map(language === undefined ? [] : [['/language', language]]);
  const cache = { put: async (at: string, answer: Response) => void kept.set(at, await answer.text()), match: async (at: string) => (kept.has(at) ? new Response(kept.get(at)) : undefined) };
  return { open: async () => cache as unknown as Cache };
};

function worker(tabs: { focused: boolean; visibilityState: DocumentVisibilityState; focus: () => Promise<void>; postMessage: (message: unknown) => void }[], language?: string) {
  const listeners = new Map<string, Listener>();
  const showNotification = vi.fn(async () => undefined);
  const openWindow = vi.fn(async () => undefined);
  receivePush({
    registration: { showNotification, pushManager: { subscribe: vi.fn() } }, clients: { matchAll: async () => tabs, openWindow }, caches: shelf(language),
    addEventListener: (type: string, listener: unknown) => void listeners.set(type, listener as Listener),
  } as unknown as PushScope);
  const send = async (type: string, event: Record<string, unknown>) => {
    let work: Promise<unknown> = Promise.resolve();
    listeners.get(type)!({ ...event, waitUntil: (promise) => (work = promise) });
    await work;
  };
  return { send, showNotification, openWindow };
}

test('the worker shows what is pushed, also what makes no sense', async () => {
  const { send, showNotification } = worker([]);
  await send('push', { data: { json: () => ({ type: 'alert.fired', data: decision }) } });
  expect(showNotification).toHaveBeenLastCalledWith('Work', expect.objectContaining({ body: decision.text, tag: 'alert-d1', data: { path: '/lots/central' } }));
  await send('push', { data: { json: () => { throw new SyntaxError('no'); } } });
  await send('push', { data: null });
  expect(showNotification).toHaveBeenCalledTimes(3);
});

test('what is pushed is said in the language of the page that was open last, as far as it can be', async () => {
  const free = { ...decision, condition: { type: 'any_free' }, lotName: 'Central Garage', free: 2 };
  const { send, showNotification } = worker([], 'de');
  await send('push', { data: { json: () => ({ type: 'alert.fired', data: free }) } });
  expect(showNotification).toHaveBeenLastCalledWith('Work', expect.objectContaining({ body: 'Central Garage: 2 Plätze sind frei.', lang: 'de', badge: '/icons/badge-96.png' }));
  await send('push', { data: { json: () => ({ type: 'channel.test', data: { id: 'x', text: 'A test' } }) } });
  expect(showNotification).toHaveBeenLastCalledWith('Parkwire', expect.objectContaining({ body: 'Das ist ein Test: Nachrichten kommen hier an.' }));
  const less = { id: 'd1', ruleId: 'r', text: 'Much', cut: true };
  for (const [data, body] of [[less, 'Much'], [{ ...free, condition: { type: 'of a newer platform' } }, free.text]] as const) expect(shownOf({ type: 'alert.fired', data }, 'de').body).toBe(body);
  for (const none of ['fr', 'constructor', undefined]) expect(shownOf({ type: 'alert.fired', data: free }, none).body).toBe(free.text);
  const kept = shelf();
  expect(await keptLanguage(kept)).toBeUndefined();
  await keepLanguage(kept, 'de');
  expect(await keptLanguage(kept)).toBe('de');
});

test('a notification leads to a page that is open, else to a new one', async () => {
  const closed = { notification: { data: { path: '/lots/central' }, close: vi.fn() } };
  const none = worker([]);
  await none.send('notificationclick', closed);
  expect(none.openWindow).toHaveBeenCalledWith('/lots/central');
  expect(closed.notification.close).toHaveBeenCalled();

  const tab = (focused: boolean) => ({ focused, visibilityState: 'hidden' as const, focus: vi.fn(async () => undefined), postMessage: vi.fn() });
  const [away, looked] = [tab(false), tab(true)];
  const some = worker([away, looked]);
  await some.send('notificationclick', closed);
  expect(some.openWindow).not.toHaveBeenCalled();
  expect(looked.postMessage).toHaveBeenCalledWith({ type: 'parkwire.open', path: '/lots/central' });
  expect(looked.focus).toHaveBeenCalled();
  expect(away.postMessage).not.toHaveBeenCalled();
});

test('the key of the platform is read as bytes', () => {
  expect([...bytesOf('-_8A')]).toEqual([0xfb, 0xff, 0x00]);
});

afterEach(() => vi.unstubAllGlobals());

test('where the browser has changed its subscription, rules that told it go on telling it', async () => {
  let endpoint = 'https://push.example/1';
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => kept.set(name, value) });
  vi.stubGlobal('isSecureContext', true);
  const notification = { permission: 'granted', requestPermission: async () => 'granted' };
  vi.stubGlobal('Notification', notification);
  vi.stubGlobal('window', { PushManager: {}, Notification: notification });
  const subscription = () => ({ endpoint, options: { applicationServerKey: bytesOf('AQID').buffer }, toJSON: () => ({ endpoint }) });
  vi.stubGlobal('navigator', { serviceWorker: { ready: Promise.resolve({ pushManager: { getSubscription: async () => subscription(), subscribe: async () => subscription() } }) } });

  let channels: { id: string; kind: string; endpoint: string }[] = [];
  let rules = [{ id: 'r1', channels: ['mail', 'c1'] }, { id: 'r2', channels: ['mail'] }];
  let fails = false;
  const api = {
    pushKey: async () => 'AQID',
    channels: async () => channels,
    addChannel: async () => {
      const there = channels.find((each) => each.endpoint === endpoint) ?? { id: `c${channels.length + 1}`, kind: 'push', endpoint };
      channels = [...channels.filter((each) => each !== there), there];
      return there;
    },
    rules: async () => rules,
    changeRule: async ({ id }: { id: string }, { channels: to }: { channels: string[] }) => {
      if (fails) throw new Error('away');
      rules = rules.map((rule) => (rule.id === id ? { ...rule, channels: to } : rule));
    },
    removeChannel: async (id: string) => void (channels = channels.filter((channel) => channel.id !== id)),
  } as unknown as AlertsApi;

  await subscribe(api, 'anna', 'Browser');
  expect([isOfAnother('anna'), isOfAnother('otto'), [...kept.values()].join().includes('anna')]).toEqual([false, true, false]);
  await keepSubscribed(api, 'anna', 'Browser');
  expect(channels).toHaveLength(1);
  endpoint = 'https://push.example/2';
  fails = true;
  await expect(keepSubscribed(api, 'anna', 'Browser')).rejects.toThrow('away');
  fails = false;
  await keepSubscribed(api, 'anna', 'Browser');
  expect([rules.map((rule) => rule.channels), channels.map(({ id }) => id)]).toEqual([[['mail', 'c2'], ['mail']], ['c2']]);
});
