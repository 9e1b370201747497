// How the page looks to the one who looks at it: theme, motion, language, wall display. The address goes before what was chosen, and that before the device.
import { computed, effect, signal, type Signal } from '@preact/signals';
import { language, languages, wanted, type Language } from '../text/language';
import { useLanguage } from '../text/words';
import { query } from '../ui/router';

export type Theme = 'light' | 'dark';

/** A wall display: nobody touches it, and it is read from afar. */
export const kiosk = computed(() => query.value.has('kiosk') && query.value.get('kiosk') !== 'off');

/** Chosen here and kept for the next time; undefined: as the device has it. */
export const chosen = {
  theme: kept<Theme>('parkwire.theme', ['light', 'dark']),
  motion: kept<'on' | 'off'>('parkwire.motion', ['on', 'off']),
  language: kept<string>('parkwire.language', languages.map(({ code }) => code)),
};

const darkDevice = matching('(prefers-color-scheme: dark)');
const calmDevice = matching('(prefers-reduced-motion: reduce)');

/** The theme that is shown. */
export const theme = computed<Theme>(() => oneOf<Theme>(query.value.get('theme'), ['light', 'dark']) ?? chosen.theme.value ?? (darkDevice.value ? 'dark' : 'light'));

/** Whether things may move. */
export const motion = computed<boolean>(() => (oneOf(query.value.get('motion'), ['on', 'off']) ?? chosen.motion.value ?? (calmDevice.value ? 'off' : 'on')) === 'on');

/** The side from which one reads. `?dir=rtl` shows how the page stands in a language that is written from the right. */
export const direction = computed(() => oneOf(query.value.get('dir'), ['ltr', 'rtl']) ?? language.value.direction);

/** Sees to it that the document is as the settings are. Returns when the words are there. */
export async function startSettings(): Promise<void> {
  effect(() => {
    const { dataset } = document.documentElement;
    dataset.theme = theme.value;
    dataset.motion = motion.value ? 'on' : 'off';
    dataset.kiosk = String(kiosk.value);
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) meta.content = theme.value === 'dark' ? '#131a21' : '#ffffff';
  });
  effect(() => {
    document.documentElement.lang = language.value.code;
    document.documentElement.dir = direction.value;
    document.querySelector('link[rel="manifest"]')?.setAttribute('href', manifestOf(language.value)); // how the page is called where it is installed
  });
  let first: Promise<void> | undefined;
  effect(() => {
    const there = useLanguage(wanted(query.value.get('lang'), chosen.language.value)).catch(() => undefined); // it stays as it is
    first ??= there;
  });
  await first;
}

/** English is what index.html says, so that it is asked for once. */
const manifestOf = ({ code }: Language): string => (code === 'en' ? '/manifest.webmanifest' : `/manifest.${code}.webmanifest`);

function matching(condition: string) {
  const list = matchMedia(condition);
  const matches = signal(list.matches);
  list.addEventListener('change', () => (matches.value = list.matches));
  return matches;
}

/** A choice that the browser keeps; other tabs follow. Nothing is kept of who has chosen nothing. */
function kept<T extends string>(name: string, values: readonly T[]): Signal<T | undefined> {
  const read = () => {
    try {
      return oneOf(localStorage.getItem(name), values);
    } catch {
      return undefined; // the browser keeps nothing
    }
  };
  const choice = signal(read());
  addEventListener('storage', ({ key }) => key === name && (choice.value = read()));
  choice.subscribe((value) => {
    try {
      if (value === read()) return;
      if (value === undefined) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      // it is chosen for this page alone
    }
  });
  return choice;
}

function oneOf<T extends string>(text: string | null, values: readonly T[]): T | undefined {
  return values.find((value) => value === text);
}
