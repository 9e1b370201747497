// Notifications of the browser while a page is open but not looked at. When no page is open, Web Push does it: push.ts.
import { signal } from '@preact/signals';
import { words } from '../text/words';
import { go, pathTo } from '../ui/router';
import { placeOf, type Decision } from './wire';

/** `insecure`: browsers notify for pages alone that came encrypted. */
export type Permission = 'unsupported' | 'insecure' | 'default' | 'denied' | 'granted';

const name = 'parkwire.notify';

function present(): Permission {
  if (!isSecureContext) return 'insecure';
  return 'Notification' in window ? Notification.permission : 'unsupported';
}

/** What the browser lets this page do. */
export const permission = signal<Permission>(present());

/** Whether the person wants it. */
export const wanted = signal(remembered());

function remembered(): boolean {
  try {
    return localStorage.getItem(name) === 'on';
  } catch {
    return false;
  }
}

/** The permission may have been changed in the browser's own settings. */
export const lookAgain = (): void => void (permission.value = present());

/** Turns it on, for which the browser asks, or off. */
export async function want(on: boolean): Promise<void> {
  if (on && present() === 'default') await Notification.requestPermission();
  lookAgain();
  wanted.value = on && permission.peek() === 'granted';
  try {
    if (wanted.peek()) localStorage.setItem(name, 'on');
    else localStorage.removeItem(name);
  } catch {
    // It holds for this page.
  }
}

/** Notifies of an alert, unless somebody looks at a page of Parkwire and sees it there. */
export async function notify(decision: Decision): Promise<void> {
  if (!wanted.peek() || present() !== 'granted' || (await somebodyLooks())) return;
  const path = placeOf(decision) ?? '/alerts?show=told';
  // The tag is that of the push message of the same alert: one takes the place of the other.
  const content: NotificationOptions = { body: words.alerts.toldText(decision), tag: `alert-${decision.id}`, data: { path }, icon: '/icons/icon-192.png', badge: '/icons/badge-96.png', lang: document.documentElement.lang };
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker?.active) return worker.showNotification(decision.ruleName, content);
  const notification = new Notification(decision.ruleName, content);
  notification.onclick = () => {
    window.focus();
    go(pathTo(path));
    notification.close();
  };
}

const looking = 'parkwire looking';

/** Lets the other tabs know whether this one is looked at. Returns what ends it. */
export function showLooking(): () => void {
  const locks = navigator.locks as LockManager | undefined;
  let away: (() => void) | undefined;
  const follow = () => {
    away?.();
    away = undefined;
    if (document.visibilityState !== 'visible' || !locks) return;
    const left = new Promise<void>((resolve) => (away = resolve));
    void locks.request(looking, { mode: 'shared' }, () => left);
  };
  follow();
  document.addEventListener('visibilitychange', follow);
  return () => {
    document.removeEventListener('visibilitychange', follow);
    away?.();
  };
}

async function somebodyLooks(): Promise<boolean> {
  if (document.visibilityState === 'visible') return true;
  const locks = navigator.locks as LockManager | undefined;
  const { held = [] } = (await locks?.query()) ?? {};
  return held.some((lock) => lock.name === looking);
}
