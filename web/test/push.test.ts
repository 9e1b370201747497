import { expect, test, vi } from 'vitest';
import { bytesOf } from '../src/alerts/push';
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

function worker(tabs: { focused: boolean; visibilityState: DocumentVisibilityState; focus: () => Promise<void>; postMessage: (message: unknown) => void }[]) {
  const listeners = new Map<string, Listener>();
  const showNotification = vi.fn(async () => undefined);
  const openWindow = vi.fn(async () => undefined);
  receivePush({
    registration: { showNotification, pushManager: { subscribe: vi.fn() } }, clients: { matchAll: async () => tabs, openWindow },
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
