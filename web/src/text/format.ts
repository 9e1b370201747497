// Numbers, times and days as the present language writes them. All read the language: views that use them follow it.
import { computed } from '@preact/signals';
import { locale } from './language';

const formats = computed(() => ({
  number: new Intl.NumberFormat(locale.value),
  percent: new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }),
  clock: new Intl.DateTimeFormat(locale.value, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
  minute: new Intl.DateTimeFormat(locale.value, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  full: new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' } as Intl.DateTimeFormatOptions),
  day: new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium' }),
}));

export const number = (n: number): string => formats.value.number.format(n);

/** A part of a whole, never rounded up: 99.9 % are not all. Empty where there is no whole. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : formats.value.percent.format(Math.floor((part / whole) * 100) / 100);

/** The time of day, with seconds: 14:03:12. */
export const clockTime = (time: number): string => formats.value.clock.format(time);
/** The time of day, without them: 14:03. */
export const minuteTime = (time: number): string => formats.value.minute.format(time);
/** The day: Nov 24, 2026. */
export const dayOf = (time: number): string => formats.value.day.format(time);
/** Day and time. */
export const fullTime = (time: number): string => formats.value.full.format(time);

/** The time of day, and the day where it was another one. */
export const shortTime = (time: number, now: number): string =>
  new Date(time).toDateString() === new Date(now).toDateString() ? clockTime(time) : fullTime(time);
