// What of the history is looked at: it is in the address, so that it can be shared.
import type { Query } from './api';
import { addDays, isDate } from './times';
import type { Interval } from './wire';

export const ranges = ['hour', 'day', 'week', 'month', 'year'] as const;
export type Range = (typeof ranges)[number];

/** What a heat map shows. */
export const measures = ['occupancy', 'turnover', 'stay', 'silent'] as const;
export type Measure = (typeof measures)[number];

/** Of how many weeks a heat map is. */
export const spans = [4, 12, 52] as const;
export type Span = (typeof spans)[number];

export interface View {
  readonly range: Range;
  /** The last day that is shown, by the clocks of the lot; undefined: up to the present, which is followed. */
  readonly on: string | undefined;
  /** Undefined: the whole lot. */
  readonly zone: string | undefined;
  readonly measure: Measure;
  readonly span: Span;
  /** Stays within a day alone. */
  readonly sameDay: boolean;
}

const lengths: Record<Range, { readonly interval: Interval; readonly days: number }> = {
  hour: { interval: 'minute', days: 0 },
  day: { interval: 'hour', days: 1 },
  week: { interval: 'hour', days: 7 },
  month: { interval: 'day', days: 30 },
  year: { interval: 'day', days: 365 },
};

export function readView(query: URLSearchParams): View {
  const range = ranges.find((each) => each === query.get('range')) ?? 'day';
  const on = query.get('on');
  return {
    range,
    on: isDate(on) && range !== 'hour' ? on : undefined, // the last hour is always the last one
    zone: query.get('zone') || undefined,
    measure: measures.find((each) => each === query.get('measure')) ?? 'occupancy',
    span: spans.find((each) => String(each) === query.get('weeks')) ?? 4,
    sameDay: query.has('sameDay'),
  };
}

/** The parameters of the address for it. What is usual is not said. */
export function parametersOf(view: View): Record<'range' | 'on' | 'zone' | 'measure' | 'weeks' | 'sameDay', string | undefined> {
  return {
    range: view.range === 'day' ? undefined : view.range,
    on: view.range === 'hour' ? undefined : view.on,
    zone: view.zone,
    measure: view.measure === 'occupancy' ? undefined : view.measure,
    weeks: view.span === 4 ? undefined : String(view.span),
    sameDay: view.sameDay ? '1' : undefined,
  };
}

export const intervalOf = (range: Range): Interval => lengths[range].interval;

/** The time that is shown, as the service is asked for it. Without an end it reaches up to the present. */
export function periodOf({ range, on }: View, now: number): Query {
  const { days, interval } = lengths[range];
  if (on !== undefined) return { from: addDays(on, 1 - days), to: addDays(on, 1) };
  const hours = range === 'hour' ? 1 : interval === 'hour' ? days * 24 : (days - 1) * 24; // buckets are whole: today is one of the days
  return { from: before(now, hours) };
}

/** The time of a heat map. */
export function weeksOf({ on, span }: View, now: number): Query {
  return on === undefined ? { from: before(now, span * 7 * 24) } : { from: addDays(on, 1 - span * 7), to: addDays(on, 1) };
}

const before = (now: number, hours: number) => new Date(now - hours * 3_600_000).toISOString();

/** The same length of time, just before. */
export function earlier(view: View, today: string): View {
  return { ...view, on: addDays(view.on ?? today, -lengths[view.range].days) };
}

/** And just after; the last one is the present, and is followed. */
export function later(view: View, today: string): View {
  if (view.on === undefined) return view;
  const on = addDays(view.on, lengths[view.range].days);
  return { ...view, on: on < today ? on : undefined };
}

/** How often what may still change is asked for again, in milliseconds; undefined: not at all. */
export function pace({ range, on }: View, today: string): number | undefined {
  if (on !== undefined && on < today) return undefined;
  return { hour: 15_000, day: 60_000, week: 60_000, month: 300_000, year: 300_000 }[range];
}
