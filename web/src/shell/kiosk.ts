// A wall display (?kiosk): nobody touches it, so that the page keeps the screen on, shows by turns what does not fit, and comes back by itself.
import { effect } from '@preact/signals';
import { here, replaceAddress, setQuery } from '../ui/router';
import { kiosk, motion } from './settings';
import { nextTurn } from './turns';

/** In milliseconds: until one who touched it is taken to have gone, between two turns, and until the pointer is hidden. */
export const pace = { absence: 60_000, turn: 15_000, pointer: 3_000 };

/** Follows the setting. Returns what ends it. */
export function startKiosk(): () => void {
  return effect(() => (kiosk.value ? begin() : undefined));
}

function begin(): () => void {
  const home = here();
  const hand = new AbortController();
  const { signal } = hand;
  let awake: WakeLockSentinel | undefined;
  let pointer: ReturnType<typeof setTimeout> | undefined;
  let touchedAt = -Infinity;

  const stayOn = async () => {
    if (document.visibilityState !== 'visible' || (awake && !awake.released)) return;
    awake = await navigator.wakeLock?.request('screen').catch(() => undefined); // the device wants to save its battery, or the page is not encrypted
    if (signal.aborted) void awake?.release();
  };
  const touched = () => {
    touchedAt = performance.now();
    document.documentElement.dataset.pointer = 'shown';
    clearTimeout(pointer);
    pointer = setTimeout(hide, pace.pointer);
  };
  const turn = () => {
    if (performance.now() - touchedAt < pace.absence) return;
    if (here() !== home) return replaceAddress(home);
    for (const part of document.querySelectorAll('main, main .of-lot, [data-turns]')) {
      const top = nextTurn(part);
      if (top !== part.scrollTop) part.scrollTo({ top, behavior: motion.value ? 'smooth' : 'instant' });
    }
  };
  const hide = () => (document.documentElement.dataset.pointer = 'hidden');
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setQuery({ kiosk: undefined });
  };

  for (const name of ['pointermove', 'pointerdown', 'keydown', 'wheel']) addEventListener(name, touched, { signal, passive: true });
  addEventListener('keydown', key, { signal });
  document.addEventListener('visibilitychange', () => void stayOn(), { signal });
  const turns = setInterval(turn, pace.turn);
  hide();
  void stayOn();
  return () => {
    hand.abort();
    void awake?.release().catch(() => undefined);
    clearTimeout(pointer);
    clearInterval(turns);
    delete document.documentElement.dataset.pointer;
  };
}
