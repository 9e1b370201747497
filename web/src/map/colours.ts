// The colours of the theme, for what is not drawn by style sheets.
import { statuses } from '../live/wire';

export interface Colours {
  /** Of the signs and what they stand on, three numbers (0 to 1) for each status. */
  readonly tones: Float32Array<ArrayBuffer>;
  readonly plates: Float32Array<ArrayBuffer>;
  readonly focus: Float32Array<ArrayBuffer>;
  readonly paper: string;
  readonly floor: string;
  readonly line: string;
}

const tokenOf = { free: 'free', reserved: 'reserved', occupied: 'occupied', unknown: 'unknown', out_of_service: 'out-of-service', closed: 'closed' };

/** Reads them as the page has them now. */
export function readColours(style: Pick<CSSStyleDeclaration, 'getPropertyValue'> = getComputedStyle(document.documentElement)): Colours {
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const all = (names: readonly string[]) => Float32Array.from(names.flatMap((name) => parts(token(name))));
  return {
    tones: all(statuses.map((status) => tokenOf[status])),
    plates: all(statuses.map((status) => (status === 'unknown' ? 'surface' : `${tokenOf[status]}-soft`))),
    focus: all(['focus']),
    paper: token('ground'),
    floor: token('surface'),
    line: token('line-strong'),
  };
}

/** Red, green and blue of "#rgb" and "#rrggbb", from 0 to 1. */
export function parts(colour: string): [number, number, number] {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour)?.[1];
  if (digits === undefined) return [0.5, 0.5, 0.5]; // an unknown way to write it: grey is seen on both themes
  const each = digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g)!;
  return each.map((two) => parseInt(two, 16) / 255) as [number, number, number];
}
