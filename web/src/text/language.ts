// The languages of the page, and the one it speaks now.
import { computed, signal } from '@preact/signals';

export interface Language {
  readonly code: string;
  /** As those who speak it call it. */
  readonly name: string;
  readonly direction: 'ltr' | 'rtl';
}

export const languages: readonly Language[] = [
  { code: 'en', name: 'English', direction: 'ltr' },
  { code: 'de', name: 'Deutsch', direction: 'ltr' },
];

/** The language that is shown. It changes when its words are there, see useLanguage. */
export const language = signal<Language>(languages[0]!);

const preferred = (): readonly string[] => (typeof navigator === 'undefined' ? [] : (navigator.languages ?? []));

/** How numbers and dates are written: as the browser's own variety of the language has it, such as en-GB. */
export const locale = computed(() => preferred().find((each) => each.split('-')[0] === language.value.code) ?? language.value.code);

/** The language to begin with: what the address says, else what was chosen before, else the first of the browser's that there is. */
export function wanted(...choices: (string | null | undefined)[]): Language {
  for (const choice of [...choices, ...preferred()]) {
    const found = languages.find(({ code }) => code === choice?.toLowerCase().split('-')[0]);
    if (found) return found;
  }
  return languages[0]!;
}
