import type { Parkwire } from './client.js';

/** Longer than this (milliseconds) without a tick of the clock, and the machine slept. */
const asleep = 30_000;
/** How often the clock is looked at, in milliseconds: whoever opens a machine that slept waits no longer than that. Browsers stretch it in hidden tabs. */
const tick = 500;

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
  const wake = () => {
    if (!document.hidden && look()) client.reconnect();
  };
  const clock = setInterval(wake, tick);
  const listeners: readonly [EventTarget, string, () => void][] = [
    [window, 'online', () => client.setOnline(true)],
    [window, 'offline', () => client.setOnline(false)],
    [window, 'pageshow', show],
    [document, 'visibilitychange', show],
    [document, 'resume', wake], // a frozen page goes on
  ];
  for (const [target, name, listener] of listeners) target.addEventListener(name, listener);
  client.setOnline(navigator.onLine);
  return () => {
    clearInterval(clock);
    for (const [target, name, listener] of listeners) target.removeEventListener(name, listener);
  };
}
