// What holds for every file of the page.
import { expect, test } from 'vitest';

const components = import.meta.glob<string>('../src/**/*.tsx', { query: '?raw', import: 'default', eager: true });
const styles = import.meta.glob<string>('../src/**/*.css', { query: '?raw', import: 'default', eager: true });

const offences = (files: Record<string, string>, offence: RegExp) =>
  Object.entries(files).flatMap(([name, text]) => [...text.matchAll(offence)].map(([found]) => `${name}: ${found.trim()}`));

test('no component says a word that is in no dictionary', () => {
  const said = offences(components, /(?<!=)>\s*[A-Z][a-z]+[a-z ]*<\/|\b(?:aria-label|title|placeholder|alt)="[^"]*[A-Za-z][^"]*"/g);
  expect(said.filter((each) => !each.includes('>Parkwire<'))).toEqual([]);
});

test('no style knows left from right: it is the language that does', () => {
  expect(offences(styles, /\b(?:(?:margin|padding|border)-(?:left|right)|text-align: *(?:left|right)|float: *(?:left|right))\b/g)).toEqual([]);
});
