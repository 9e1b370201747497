// What makes the page more than one that is fetched: its service worker, its newer versions, and that it can be installed.
import { effect, signal } from '@preact/signals';
import type { Connection } from '../live/connection';
import { language } from '../text/language';
import { keepLanguage } from '../worker/language';
import { renewWall } from './renewal';
import { kiosk } from './settings';
import { isNewer } from './version';

/** Whether there is a newer version of this page than the one that is open. */
export const outdated = signal(false);

/** Offers to install the page, where the browser has said that it can be. */
export const install = signal<(() => void) | undefined>(undefined);

const lookAgain = 3_600_000; // for newer versions, in milliseconds

/** The event that Chromium alone has, so that it is in no library. */
interface InstallEvent extends Event {
  prompt(): Promise<unknown>;
}

/** Returns what ends it. */
export function startOffline(connection: Connection): () => void {
  if ('serviceWorker' in navigator && import.meta.env.PROD) void navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' }).catch(() => undefined);
  const ofLanguage = effect(() => {
    const { code } = language.value;
    if ('caches' in window) void keepLanguage(caches, code).catch(() => undefined); // what is pushed is then said in English
  });
  const offer = (event: Event) => {
    event.preventDefault();
    install.value = () => {
      install.value = undefined;
      void (event as InstallEvent).prompt();
    };
  };
  const installed = () => (install.value = undefined);
  addEventListener('beforeinstallprompt', offer);
  addEventListener('appinstalled', installed);
  const timer = setInterval(() => void lookForNewer(), lookAgain);
  let opened = 0;
  const ofConnection = effect(() => {
    if (connection.state.value === 'open' && ++opened > 1) void lookForNewer(); // who was away may have been renewed
  });
  const ofWall = renewWall(outdated, kiosk, () => location.reload());
  return () => {
    removeEventListener('beforeinstallprompt', offer);
    removeEventListener('appinstalled', installed);
    clearInterval(timer);
    ofConnection();
    ofLanguage();
    ofWall();
  };
}

/** A page is known by its script, whose name changes with its content. */
async function lookForNewer(): Promise<void> {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"]')?.getAttribute('src');
  if (!own?.startsWith('/assets/')) return; // while it is being developed
  try {
    const answer = await fetch('/', { cache: 'no-cache', signal: AbortSignal.timeout(20_000) });
    if (!answer.ok) return;
    outdated.value = isNewer(await answer.text(), own);
    if (outdated.value) await (await navigator.serviceWorker?.getRegistration())?.update();
  } catch {
    // it is looked for again
  }
}
