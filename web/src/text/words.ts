// Every word that the page says, in the language that it speaks now: `words.map.title`. Whoever reads them in a view follows the language.
import { batch, signal } from '@preact/signals';
import { english } from './english';
import { language, type Language } from './language';

/** A dictionary has the shape of the English one: what it lacks, the compiler finds. */
export type Words = typeof english;

const dictionary = signal<Words>(english);

export const words = new Proxy(english, { get: (_, area) => dictionary.value[area as keyof Words] });

/** All languages but English, which is there from the start, are fetched when they are wanted. */
const elsewhere: Record<string, () => Promise<Words>> = {
  de: async () => (await import('./german')).german,
};

let latest: Language | undefined;

/** Speaks another language as soon as its words are there. What could not be fetched leaves the page as it was. */
export async function useLanguage(wanted: Language): Promise<void> {
  latest = wanted;
  const load = elsewhere[wanted.code];
  const found = load ? await load() : english;
  if (latest !== wanted) return; // somebody chose again
  batch(() => {
    dictionary.value = found;
    language.value = wanted;
  });
}
