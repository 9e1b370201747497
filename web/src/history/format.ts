// How shares, lengths of time and the clocks of a lot are written, in the present language.
import { computed } from '@preact/signals';
import { locale } from '../text/language';
import { offsetOf, wall } from './times';
import type { Interval } from './wire';

export const none = '–';

const formats = computed(() => {
  const unit = (name: string) => new Intl.NumberFormat(locale.value, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: 0 });
  const clock = (fields: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale.value, { ...fields, hourCycle: 'h23', timeZone: 'UTC' });
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const date = { weekday: 'short', day: 'numeric', month: 'short' } as const;
  return {
    coarse: new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }),
    fine: new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 1 }),
    decimal: new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }),
    second: unit('second'), minute: unit('minute'), hour: unit('hour'), day: unit('day'),
    time: clock(time), timeOfDay: clock({ ...date, ...time }), date: clock(date), dayMonth: clock({ day: 'numeric', month: 'short' }),
    fullDate: clock({ ...date, year: 'numeric' }), month: clock({ month: 'short' }), weekday: clock({ weekday: 'long' }), shortWeekday: clock({ weekday: 'short' }),
  };
});

/** A share of 1, small ones with a decimal. It is not all unless it is, and not none unless it is. */
export function share(part: number | null): string {
  if (part === null) return none;
  if (part <= 0 || part >= 1) return formats.value.coarse.format(part);
  return part < 0.1 ? formats.value.fine.format(Math.max(0.001, part)) : formats.value.coarse.format(Math.min(0.99, part));
}

/** A number with a decimal at most. */
export const decimal = (n: number | null): string => (n === null ? none : formats.value.decimal.format(n));

/** A length of time: 40 sec, 42 min, 2 hr 10 min, 3 days 4 hr. */
export function duration(minutes: number | null): string {
  if (minutes === null) return none;
  const { second, minute, hour, day } = formats.value;
  if (minutes > 0 && minutes < 1) return second.format(Math.round(minutes * 60));
  const whole = Math.round(minutes);
  if (whole < 60) return minute.format(whole);
  if (whole < 1440) return joined(hour.format(Math.floor(whole / 60)), whole % 60, minute);
  const hours = Math.round(whole / 60);
  return joined(day.format(Math.floor(hours / 24)), hours % 24, hour);
}

const joined = (first: string, rest: number, unit: Intl.NumberFormat) => (rest === 0 ? first : `${first} ${unit.format(rest)}`);

/** 08:00. */
export const timeOf = (wallTime: number): string => formats.value.time.format(wallTime);
/** Tue 24 Nov, 08:00. */
export const dayAndTime = (wallTime: number): string => formats.value.timeOfDay.format(wallTime);
/** Tue 24 Nov. */
export const dayName = (wallTime: number): string => formats.value.date.format(wallTime);
/** 24 Nov. */
export const dayOfMonth = (wallTime: number): string => formats.value.dayMonth.format(wallTime);
/** Tue 24 Nov 2026. */
export const fullDay = (wallTime: number): string => formats.value.fullDate.format(wallTime);
/** Nov. */
export const monthName = (wallTime: number): string => formats.value.month.format(wallTime);

const monday = Date.UTC(2024, 0, 1);

/** The name of a day of the week, Monday being the first. */
export function weekday(n: number, short = false): string {
  return formats.value[short ? 'shortWeekday' : 'weekday'].format(monday + (n - 1) * 86_400_000);
}

/** The name of a bucket of time. With the offset of the clocks where its time came twice. */
export function bucketName(begin: string, interval: Interval, twice: boolean): string {
  if (interval === 'day') return dayName(wall(begin));
  return dayAndTime(wall(begin)) + (twice ? ` (${offsetOf(begin)})` : '');
}
