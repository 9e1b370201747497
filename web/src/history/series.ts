// From what the service answers to what a chart draws. Nothing here draws.
import { wall } from './times';
import type { Bucket, Interval } from './wire';

/** Bars stand apart; a line of steps goes on from one bucket to the next. */
export type Shape = 'steps' | 'bars';

export interface Line {
  /** By which its colour is known, see history.css. */
  readonly key: string;
  readonly shape: Shape;
  readonly of: (bucket: Bucket) => number | null;
}

/** How many points each bucket has in a chart: it rises, holds, holds, and falls. */
const points = 4;

/** The times of all points, then the values of each line at them. Null, of which nothing is known, is a hole. */
export function plotted(items: readonly Bucket[], asOf: string, lines: readonly Line[]): [number[], ...(number | null)[][]] {
  const apart = lines.some(({ shape }) => shape === 'bars') ? 0.1 : 0;
  const times: number[] = [];
  for (const { begin, end, ongoing } of items) {
    const from = Date.parse(begin);
    const to = Math.max(from + points, ongoing ? Math.min(Date.parse(end), Date.parse(asOf)) : Date.parse(end));
    const inset = Math.floor((to - from) * apart);
    times.push(from + inset, from + inset + 1, to - inset - 2, to - inset - 1);
  }
  const values = lines.map(({ shape, of }) => items.flatMap((bucket) => {
    const value = of(bucket);
    const foot = value === null || shape === 'steps' ? value : 0;
    return [foot, value, value, foot];
  }));
  return [times, ...values];
}

/** The bucket to which a point belongs. */
export const bucketAt = (point: number): number => Math.floor(point / points);

export interface Scale {
  readonly top: number;
  readonly every: number;
}

/** Up to where an axis goes, and where it is marked: whole multiples of one of the steps, few of them. */
export function scaleOf(highest: number, steps: readonly number[], most = 5): Scale {
  const every = steps.find((step) => highest <= step * most) ?? Math.ceil(highest / most);
  return { top: every * Math.max(1, Math.ceil(highest / every)), every };
}

export const ofShares: Scale = { top: 1, every: 0.25 };
export const countSteps: readonly number[] = [0, 1, 2, 3, 4, 5].flatMap((power) => [1, 2, 5].map((n) => n * 10 ** power));
/** Of minutes. */
export const durationSteps: readonly number[] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14_400, 43_200];

/** The largest of what is known. */
export function highest(items: readonly Bucket[], ...picks: readonly ((bucket: Bucket) => number | null)[]): number {
  return items.reduce((most, bucket) => Math.max(most, ...picks.map((pick) => pick(bucket) ?? 0)), 0);
}

export interface Tick {
  readonly at: number;
  /** How it is written: by the time of day, the date, or the month. */
  readonly as: 'time' | 'date' | 'month';
  readonly wall: number;
}

type Mark = readonly [Tick['as'], (shown: Date) => boolean];

const everyMinutes = (n: number): Mark => ['time', (at) => at.getUTCMinutes() % n === 0];
const everyHours = (n: number): Mark => ['time', (at) => at.getUTCHours() % n === 0];
const everyMonths = (n: number): Mark => ['month', (at) => at.getUTCDate() === 1 && at.getUTCMonth() % n === 0];
const mondays: Mark = ['date', (at) => at.getUTCDay() === 1];

const marks: Record<Interval, readonly Mark[]> = {
  minute: [5, 10, 15, 30].map(everyMinutes),
  hour: [...[1, 2, 3, 6, 12].map(everyHours), ['date', (at) => at.getUTCHours() === 0]],
  day: [['date', () => true], mondays, ['date', (at) => mondays[1](at) && Math.floor(at.getTime() / 604_800_000) % 2 === 0], everyMonths(1), everyMonths(3)],
};

/** Where the axis of time is marked: at begins of buckets that are round by the clocks of the lot, and no more than there is room for. */
export function ticksOf(items: readonly Bucket[], interval: Interval, most: number): readonly Tick[] {
  const begins = items.map(({ begin }) => ({ at: Date.parse(begin), wall: wall(begin) }));
  let ticks: Tick[] = [];
  for (const [as, is] of marks[interval]) {
    ticks = begins.filter((begin) => is(new Date(begin.wall))).map((begin) => ({
      ...begin,
      as: interval === 'hour' && new Date(begin.wall).getUTCHours() === 0 ? 'date' as const : as, // where a day begins, it is named
    }));
    if (ticks.length <= most) break;
  }
  const each = Math.ceil(ticks.length / Math.max(1, most));
  return ticks.filter((_, i) => i % each === 0);
}

/** The buckets that were fullest and emptiest; undefined where nothing is known of any. */
export function extremes(items: readonly Bucket[]): { readonly most: Bucket; readonly least: Bucket } | undefined {
  const known = items.filter(({ occupancy }) => occupancy !== null);
  const first = known[0];
  if (!first) return undefined;
  const by = (better: (a: number, b: number) => boolean) => known.reduce((best, each) => (better(each.occupancy!, best.occupancy!) ? each : best), first);
  return { most: by((a, b) => a > b), least: by((a, b) => a < b) };
}
