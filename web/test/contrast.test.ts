// The colours of both themes, by the contrast that WCAG 2.2 AA asks for: 4.5 for text, 3 for signs and frames that mean something.
import { describe, expect, test } from 'vitest';
import tokens from '../src/styles/tokens.css?raw';

const block = (start: string) => {
  const from = tokens.indexOf(start);
  return Object.fromEntries([...tokens.slice(from, tokens.indexOf('}', from)).matchAll(/--([a-z0-9-]+): (#[0-9a-f]{3,6});/g)].map(([, name, value]) => [name!, value!]));
};
const light = block(':root {');
const themes: Record<string, Record<string, string>> = { light, dark: { ...light, ...block(":root[data-theme='dark'] {") } };

function luminance(colour: string): number {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit) : colour.slice(1).match(/../g)!;
  const [red, green, blue] = digits.map((pair) => {
    const part = parseInt(pair, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(a: string, b: string): number {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter! + 0.05) / (darker! + 0.05);
}

/** What is written on what. */
const text: Record<string, string[]> = {
  ground: ['ink', 'ink-2', 'ink-3', 'free', 'closed'],
  surface: ['ink', 'ink-2', 'ink-3', 'free', 'reserved', 'out-of-service', 'closed', 'warning'],
  raised: ['ink', 'ink-2', 'ink-3', 'free', 'closed'],
  'free-soft': ['free', 'ink'],
  'occupied-soft': ['ink', 'ink-2'],
  'reserved-soft': ['reserved'],
  'out-of-service-soft': ['out-of-service'],
  'closed-soft': ['closed'],
  'warning-soft': ['warning'],
  free: ['surface'],
  closed: ['surface'],
};
const signs: Record<string, string[]> = {
  ground: ['free', 'occupied', 'reserved', 'unknown', 'out-of-service', 'closed', 'focus'],
  surface: ['free', 'occupied', 'reserved', 'unknown', 'out-of-service', 'closed', 'focus'],
  'occupied-soft': ['occupied'],
};

describe.each(Object.keys(themes))('the %s theme', (name) => {
  const theme = themes[name]!;
  const below = (pairs: Record<string, string[]>, least: number) =>
    Object.entries(pairs).flatMap(([on, colours]) =>
      colours.map((colour) => [`${colour} on ${on}`, contrast(theme[colour]!, theme[on]!)] as const).filter(([, is]) => is < least));

  test('can be read', () => {
    expect(below(text, 4.5)).toEqual([]);
  });

  test('has signs that can be told from what they are on', () => {
    expect(below(signs, 3)).toEqual([]);
  });
});
