import type { Parkwire } from './client.js';

/** Longer than this (milliseconds) without a tick of the clock, and the machine slept. */
const asleep = 30_000;
const tick = 5_000;

/**
 * Tells the client what a browser's page notices: networks that come and go, tabs that are seen again, and machines that slept. Returns what ends
 * the watching; {@link Parkwire.close} does not.
 */
export function watchPage(client: Pick<Parkwire, 'check' | 'reconnect' | 'setOnline'>): () => void {
  let seen = Date.now();
  const look = () => {
    const slept = Date.now() - seen > asleep;
    seen = Date.now();
    return slept;
  };
  const show = () => {
    if (document.hidden) return;
    look(); // a hidden tab's clock runs slowly, and tells nothing
    client.check();
  };
  const clock = setInterval(() => {
    if (!document.hidden && look()) client.reconnect();
  }, tick);
  const listeners: readonly [EventTarget, string, () => void][] = [
    [window, 'online', () => client.setOnline(true)],
    [window, 'offline', () => client.setOnline(false)],
    [window, 'pageshow', show],
    [document, 'visibilitychange', show],
  ];
  for (const [target, name, listener] of listeners) target.addEventListener(name, listener);
  client.setOnline(navigator.onLine);
  return () => {
    clearInterval(clock);
    for (const [target, name, listener] of listeners) target.removeEventListener(name, listener);
  };
}
