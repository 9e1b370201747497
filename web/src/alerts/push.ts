// This browser as a place to which alerts are sent, also while no page of Parkwire is open: Web Push.
import { slugOf, type AlertsApi } from './api';
import { lookAgain } from './notify';
import { markOf } from './subject';
import type { Channel, NewChannel } from './wire';

/** Why this browser cannot be told. `worker`: the page could not keep its service worker; `service`: the browser reaches no push service. */
export type PushObstacle = 'unsupported' | 'insecure' | 'worker' | 'denied' | 'service' | 'not-configured';

export class PushError extends Error {
  constructor(readonly obstacle: PushObstacle) {
    super(obstacle);
  }
}

const patience = 5_000; // for the service worker, in milliseconds
const name = 'parkwire.push';

/** What this browser remembers of its subscription: whose it is, without saying who that is, and which was told to the platform. */
interface Mark {
  readonly of: string;
  readonly endpoint: string;
}

/** What stands in the way from the start. */
export function obstacle(): PushObstacle | undefined {
  if (!isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return 'unsupported';
  return Notification.permission === 'denied' ? 'denied' : undefined;
}

/** The endpoint of this browser; undefined: it is not subscribed. */
export async function presentEndpoint(): Promise<string | undefined> {
  if (obstacle() !== undefined && obstacle() !== 'denied') return undefined;
  return (await (await worker())?.pushManager.getSubscription())?.endpoint;
}

/** Whether the subscription of this browser is somebody else's, who was signed in here before. */
export const isOfAnother = (subject: string): boolean => (mark()?.of ?? markOf(subject)) !== markOf(subject);

/** Subscribes this browser and tells the platform. Asks the person for the permission first. Throws a PushError or ProblemError. */
export async function subscribe(api: AlertsApi, subject: string, label: string): Promise<NewChannel> {
  const hindered = obstacle();
  if (hindered !== undefined) throw new PushError(hindered);
  if ((await Notification.requestPermission()) !== 'granted') throw new PushError('denied');
  lookAgain();
  const key = await pushKey(api);
  const registration = await worker();
  if (!registration) throw new PushError('worker');
  const before = await registration.pushManager.getSubscription();
  // Nobody is sent what is meant for who was here before; and a subscription holds for one key.
  if (before && (isOfAnother(subject) || !sameKey(before, key))) await before.unsubscribe();
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) }).catch((error: unknown) => {
    throw new PushError(error instanceof DOMException && error.name === 'NotAllowedError' ? 'denied' : 'service');
  });
  const channel = await api.addChannel({ kind: 'push', name: label, subscription: subscription.toJSON() });
  remember({ of: markOf(subject), endpoint: subscription.endpoint });
  return channel;
}

/** Ends the subscription of this browser. */
export async function unsubscribe(): Promise<void> {
  await (await (await worker())?.pushManager.getSubscription())?.unsubscribe();
  remember(undefined);
}

/**
 * Browsers change subscriptions by themselves: the platform is told of the present one, and rules that told the one before tell this one. Nothing is
 * asked of the person.
 */
export async function keepSubscribed(api: AlertsApi, subject: string, label: string): Promise<void> {
  const known = mark();
  if (known?.of !== markOf(subject) || obstacle() !== undefined || Notification.permission !== 'granted') return;
  if ((await presentEndpoint()) === known.endpoint) return;
  const before = ownChannel(await api.channels(), known.endpoint);
  const { id } = await subscribe(api, subject, label);
  try {
    if (before && before.id !== id) await replace(api, before.id, id);
  } catch (error) {
    remember(known); // so that the next page does the rest
    throw error;
  }
}

async function replace(api: AlertsApi, before: string, now: string): Promise<void> {
  for (const rule of await api.rules()) {
    if (rule.channels.includes(before)) await api.changeRule(rule, { channels: [...rule.channels.filter((id) => id !== before && id !== now), now] });
  }
  await api.removeChannel(before);
}

/** The channel that this browser is, among the subject's. */
export const ownChannel = (channels: readonly Channel[], endpoint: string | undefined): Channel | undefined =>
  channels.find((channel) => channel.kind === 'push' && endpoint !== undefined && channel.endpoint === endpoint);

async function pushKey(api: AlertsApi): Promise<string> {
  try {
    return await api.pushKey();
  } catch (error) {
    throw slugOf(error) === 'push-not-configured' ? new PushError('not-configured') : error;
  }
}

function worker(): Promise<ServiceWorkerRegistration | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, patience, undefined));
  return Promise.race([navigator.serviceWorker.ready, late]);
}

export function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function sameKey({ options }: PushSubscription, key: string): boolean {
  const had = options.applicationServerKey && new Uint8Array(options.applicationServerKey);
  const wanted = bytesOf(key);
  return had?.length === wanted.length && wanted.every((byte, i) => byte === had[i]);
}

function mark(): Mark | undefined {
  try {
    return (JSON.parse(localStorage.getItem(name) ?? 'null') as Mark | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(value: Mark | undefined): void {
  try {
    if (value) localStorage.setItem(name, JSON.stringify(value));
    else localStorage.removeItem(name);
  } catch {
    // The browser keeps nothing: the platform is not told when its subscription changes.
  }
}
