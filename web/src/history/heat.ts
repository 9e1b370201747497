// A heat map: what is at each hour of the week.
import type { Measure } from './view';
import type { Heatmap, HourOfWeek } from './wire';

/** How many shades there are. */
export const shades = 10;

export interface Cell {
  readonly hour: HourOfWeek;
  /** Null: nothing can be said. */
  readonly value: number | null;
  /** From 0 to shades - 1. */
  readonly shade: number | undefined;
  /** Why nothing can be said: there was no such hour, or no spot, or all were silent. */
  readonly lack: 'none' | 'silent' | undefined;
}

const picks: Record<Measure, (hour: HourOfWeek) => number | null> = {
  occupancy: ({ occupancy }) => occupancy,
  silent: ({ silentShare }) => silentShare,
  turnover: ({ spots, turnoverPerHour }) => (spots > 0 ? turnoverPerHour : null),
  stay: ({ medianDwellTimeMinutes }) => medianDwellTimeMinutes,
};

/** The cells by day of the week, Monday first, and hour. Shares have a scale of their own; all else is beside the highest. */
export function cellsOf({ items }: Pick<Heatmap, 'items'>, measure: Measure): readonly (readonly Cell[])[] {
  const pick = picks[measure];
  const most = topOf({ items }, measure);
  const days: Cell[][] = Array.from({ length: 7 }, () => []);
  for (const hour of items) {
    const value = pick(hour);
    const cell: Cell = {
      hour, value,
      shade: value === null ? undefined : Math.min(shades - 1, Math.floor(most > 0 ? (value / most) * shades : 0)),
      lack: value !== null ? undefined : hour.silentShare === 1 ? 'silent' : 'none',
    };
    (days[hour.weekday - 1] ?? [])[hour.hour] = cell;
  }
  return days;
}

/** What the darkest shade stands for. */
export function topOf({ items }: Pick<Heatmap, 'items'>, measure: Measure): number {
  if (measure === 'occupancy' || measure === 'silent') return 1;
  return items.reduce((most, hour) => Math.max(most, picks[measure](hour) ?? 0), 0);
}

/** Hours that follow one another, as one: 8 to 10, then 17. The hours are in order. */
export function together(hours: readonly number[]): readonly { readonly from: number; readonly to: number }[] {
  const spans: { from: number; to: number }[] = [];
  for (const hour of hours) {
    const last = spans.at(-1);
    if (last && last.to === hour) last.to = hour + 1;
    else spans.push({ from: hour, to: hour + 1 });
  }
  return spans;
}
