// Numbers, times and days as the present language writes them. All read the language: views that use them follow it.
import { computed } from '@preact/signals';
import { locale } from './language';

const formats = computed(() => ({
  number: new Intl.NumberFormat(locale.value),
  percent: new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }),
}));

/** The clocks of a time zone, each made once; those of the device where none is named, or one that the browser does not know. */
const clocks = computed(() => {
  const code = locale.value;
  const made = new Map<string | undefined, ReturnType<typeof clocksOf>>();
  return (timeZone?: string) => {
    let its = made.get(timeZone);
    if (!its) made.set(timeZone, (its = clocksOf(code, timeZone)));
    return its;
  };
});

function clocksOf(code: string, timeZone: string | undefined) {
  const of = (fields: Intl.DateTimeFormatOptions) => {
    const device = { ...fields, hourCycle: 'h23' } as const;
    try {
      return new Intl.DateTimeFormat(code, timeZone === undefined ? device : { ...device, timeZone });
    } catch {
      return new Intl.DateTimeFormat(code, device);
    }
  };
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  return { clock: of({ ...time, second: '2-digit' }), minute: of(time), full: of({ dateStyle: 'medium', timeStyle: 'medium' }), day: of({ dateStyle: 'medium' }) };
}

export const number = (n: number): string => formats.value.number.format(n);

/** A part of a whole, never rounded up: 99.9 % are not all. Empty where there is no whole. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : formats.value.percent.format(Math.floor((part / whole) * 100) / 100);

/** The time of day, with seconds: 14:03:12. */
export const clockTime = (time: number, timeZone?: string): string => clocks.value(timeZone).clock.format(time);
/** The time of day, without them: 14:03. */
export const minuteTime = (time: number, timeZone?: string): string => clocks.value(timeZone).minute.format(time);
/** The day: Nov 24, 2026. */
export const dayOf = (time: number, timeZone?: string): string => clocks.value(timeZone).day.format(time);
/** Day and time. */
export const fullTime = (time: number, timeZone?: string): string => clocks.value(timeZone).full.format(time);

/** The time of day, and the day where it was another one. */
export const shortTime = (time: number, now: number, timeZone?: string): string =>
  dayOf(time, timeZone) === dayOf(now, timeZone) ? clockTime(time, timeZone) : fullTime(time, timeZone);

/** Whether the clocks of a time zone show now what those of the device do. */
export const isHere = (timeZone: string | undefined, now: number): boolean => fullTime(now, timeZone) === fullTime(now);
