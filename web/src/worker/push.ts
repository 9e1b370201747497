// What the service worker does with alerts that the platform pushes: it shows them, and leads to what they tell of.
import { placeOf, type Decision, type Target } from '../alerts/wire';
import { toldText } from '../text/german/told';
import { keptLanguage, type Shelf } from './language';

interface Lasting {
  /** Keeps the worker alive until then. */
  waitUntil(work: Promise<unknown>): void;
}

interface Pushed extends Lasting {
  readonly data: { json(): unknown } | null;
}

interface Clicked extends Lasting {
  readonly notification: { readonly data: unknown; close(): void };
}

interface Changed extends Lasting {
  readonly oldSubscription?: PushSubscription | null;
}

interface Tab {
  readonly focused: boolean;
  readonly visibilityState: DocumentVisibilityState;
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}

/** What of the worker's surroundings is used here. */
export interface PushScope {
  readonly registration: {
    showNotification(title: string, options: NotificationOptions): Promise<void>;
    readonly pushManager: Pick<PushManager, 'subscribe'>;
  };
  readonly clients: {
    matchAll(options: { readonly type: 'window'; readonly includeUncontrolled: boolean }): Promise<readonly Tab[]>;
    openWindow(address: string): Promise<unknown>;
  };
  readonly caches: Shelf;
  addEventListener(type: 'push', listener: (event: Pushed) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: Clicked) => void): void;
  addEventListener(type: 'pushsubscriptionchange', listener: (event: Changed) => void): void;
}

/** What is shown of a message. */
export interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly path: string;
}

/** Where an alert leads that is about no single place. */
const list = '/alerts?show=told';

/** What was told, in the languages of the page other than that of the platform, which is English. */
const speeches: Readonly<Record<string, { readonly told: (decision: Decision) => string; readonly test: string }>> = {
  de: { told: (decision) => toldText(decision, (n) => n.toLocaleString('de')), test: 'Das ist ein Test: Nachrichten kommen hier an.' },
};

/** Reads a message: docs/alerts.md, "What is sent". A browser demands that something is shown of each, so one that makes no sense is shown as what it is. */
export function shownOf(message: unknown, language = 'en'): Shown {
  const { type, data } = record(message);
  const { id, text, ruleName, target, spotId, lotId } = record(data);
  const body = said(language, type, data) ?? textOf(text) ?? '';
  const path = placeOf({ target: record(target) as Target, ...(textOf(spotId) !== undefined && { spotId: textOf(spotId)! }), ...(textOf(lotId) !== undefined && { lotId: textOf(lotId)! }) });
  return {
    title: textOf(ruleName) ?? 'Parkwire',
    body,
    tag: `alert-${textOf(id) ?? ''}`, // as notify.ts has it, so that an open page and this one do not both stand there
    path: type === 'channel.test' ? '/alerts?show=sent' : (path ?? list),
  };
}

export function receivePush(scope: PushScope): void {
  scope.addEventListener('push', (event) => {
    const show = async () => {
      const lang = (await keptLanguage(scope.caches).catch(() => undefined)) ?? 'en';
      const { title, body, tag, path } = shownOf(read(event.data), lang);
      await scope.registration.showNotification(title, { body, tag, lang, data: { path }, icon: '/icons/icon-192.png', badge: '/icons/badge-96.png' });
    };
    event.waitUntil(show());
  });
  scope.addEventListener('notificationclick', (event) => {
    event.notification.close();
    const path = textOf(record(event.notification.data).path) ?? list;
    event.waitUntil(open(scope, path));
  });
  // The page tells the platform of the new one when it is opened next; until then pushes to the old one are lost.
  scope.addEventListener('pushsubscriptionchange', (event) => {
    const options = event.oldSubscription?.options;
    if (options) event.waitUntil(scope.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: options.applicationServerKey }).catch(() => undefined));
  });
}

/** Undefined: in the words of the platform, as those are the only ones there are, or what it sent is less than a decision. */
function said(language: string, type: unknown, data: unknown): string | undefined {
  const speech = Object.hasOwn(speeches, language) ? speeches[language] : undefined;
  if (!speech) return undefined;
  if (type === 'channel.test') return speech.test;
  const { condition, target } = record(data);
  return textOf(record(condition).type) === undefined || target === undefined ? undefined : textOf(speech.told(data as Decision));
}

/** In a page that is open, the one that is looked at if there is one; else in a new one. */
async function open({ clients }: PushScope, path: string): Promise<void> {
  const tabs = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  const tab = tabs.find(({ focused }) => focused) ?? tabs.find(({ visibilityState }) => visibilityState === 'visible') ?? tabs[0];
  if (!tab) return void (await clients.openWindow(path));
  tab.postMessage({ type: 'parkwire.open', path });
  await tab.focus();
}

function read(data: Pushed['data']): unknown {
  try {
    return data?.json();
  } catch {
    return undefined;
  }
}

const record = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? { ...value } : {});
const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
