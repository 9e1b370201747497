import { afterEach, describe, expect, test, vi } from 'vitest';
import { english } from '../src/text/english';
import { clockTime, fullTime, number, percent, shortTime } from '../src/text/format';
import { german } from '../src/text/german';
import { language, languages, wanted } from '../src/text/language';
import { useLanguage, words } from '../src/text/words';

const [en, de] = [languages[0]!, languages[1]!];

afterEach(() => {
  vi.unstubAllGlobals();
  return useLanguage(en);
});

test('the language is what the address says, else what was chosen, else what the browser prefers, else English', () => {
  vi.stubGlobal('navigator', { languages: ['fr-FR', 'de-AT', 'en'] });
  expect(wanted(undefined, undefined).code).toBe('de');
  expect(wanted(null, 'en').code).toBe('en');
  expect(wanted('DE-ch', 'en').code).toBe('de');
  expect(wanted('tlh').code, 'none that there is').toBe('de');
  vi.stubGlobal('navigator', { languages: ['fr'] });
  expect(wanted().code).toBe('en');
});

test('words, numbers and times are in one language', async () => {
  vi.stubGlobal('navigator', { languages: [] });
  const time = new Date(2026, 10, 24, 14, 3, 12).getTime();
  expect([words.shell.changes, number(1234.5), percent(999, 1000), clockTime(time)]).toEqual(['Changes', '1,234.5', '99%', '14:03:12']);
  await useLanguage(de);
  expect(language.value).toBe(de);
  expect([words.shell.changes, number(1234.5), percent(999, 1000), clockTime(time)]).toEqual(['Änderungen', '1.234,5', '99\u00a0%', '14:03:12']);
  expect(fullTime(time)).toBe('24.11.2026, 14:03:12');
  expect(shortTime(time, time + 3_600_000)).toBe('14:03:12');
  expect(shortTime(time, time + 86_400_000)).toBe('24.11.2026, 14:03:12');
  expect(words.common.happened({ spotId: 'c', status: 'reserved', timestamp: '', change: 'released' })).toBe('wurde frei, jetzt reserviert');
});

test('who chooses twice gets what was chosen last', async () => {
  const first = useLanguage(de); // its words are fetched
  await useLanguage(en);
  await first;
  expect([language.value, words.shell.changes]).toEqual([en, 'Changes']);
});

describe('the dictionaries', () => {
  const texts = (value: unknown, path: string): [string, string][] => {
    if (typeof value === 'string') return [[path, value]];
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([name, each]) => texts(each, `${path}.${name}`));
  };
  const shape = (value: unknown): unknown =>
    value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shape(each)])) : typeof value;

  test('have the same shape', () => {
    expect(shape(german)).toEqual(shape(english));
  });

  test('have no empty text, and German texts are not left in English', () => {
    const theirs = new Map(texts(german, ''));
    const untranslated = texts(english, '').filter(([path, text]) => text.length > 12 && / /.test(text) && theirs.get(path) === text);
    expect(untranslated.map(([path]) => path)).toEqual([]);
    for (const dictionary of [english, german]) expect(texts(dictionary, '').filter(([, text]) => text.trim() === '')).toEqual([]);
  });

  test('have one name for one thing', () => {
    for (const { common: { term }, table, manage, alerts, plan, spot, history } of [english, german]) {
      expect(new Set([table.columns.status, manage.spotFields.status])).toEqual(new Set([term.status]));
      expect(new Set([table.columns.category, manage.spotFields.category, alerts.category])).toEqual(new Set([term.category]));
      expect(new Set([table.columns.zone, manage.spotFields.zoneId, alerts.zone, history.zone])).toEqual(new Set([term.zone]));
      expect(new Set([manage.zoneFields.level, plan.level(1).replace(' 1', ''), manage.level(1).replace(' 1', '')]).size, 'levels').toBe(1);
      expect(new Set([table.columns.lot, manage.tab.lot, alerts.lot])).toEqual(new Set([term.lot]));
      expect(new Set([table.columns.name, alerts.spot, spot.title])).toEqual(new Set([term.spot]));
    }
  });

  const sources = import.meta.glob<string>('../src/text/*/*.ts', { query: '?raw', import: 'default', eager: true });
  test.each([['german', /Etage|Stockwerk|\bArt\b(?! der Änderung)|Alle Arten|gewöhnlich|Standzeit|Sensor ausgefallen|keinen Sensor mehr/], ['english', /storey|lost its sensor|sensor lost/]])('%s has no other name beside it', (name, other) => {
    const files = Object.entries(sources).filter(([file]) => file.includes(`/${name}/`));
    expect(files.length).toBeGreaterThan(8);
    for (const [file, text] of files) expect(text.match(other)?.[0], file).toBeUndefined();
  });

  const manifests = import.meta.glob<string>('../public/*.webmanifest', { query: '?raw', import: 'default', eager: true });
  test('are those in which the page is installed', () => {
    const of = (code: string) => JSON.parse(manifests[code === 'en' ? '../public/manifest.webmanifest' : `../public/manifest.${code}.webmanifest`]!) as { lang: string; id: string; shortcuts: { name: string; url: string }[] };
    for (const [{ code }, { shell }] of [[en, english], [de, german]] as const) {
      const { lang, shortcuts } = of(code);
      expect([lang, ...shortcuts.map(({ name }) => name)]).toEqual([code, shell.map, shell.table, shell.changes, shell.alerts]);
      const told = ({ lang: _, description: __, shortcuts: paths, ...same }: ReturnType<typeof of> & { description?: string }) => ({ ...same, paths: paths.map(({ url }) => url) });
      expect(told(of(code)), 'else it is the same').toEqual(told(of('en')));
    }
    expect(Object.keys(manifests)).toHaveLength(languages.length);
  });

  test('have names of views that fit a bar of six on a telephone', () => {
    for (const { shell } of [english, german]) {
      for (const name of [shell.city, shell.map, shell.table, shell.changes, shell.alerts, shell.manage]) expect(name.length, name).toBeLessThanOrEqual(10);
    }
  });
});
