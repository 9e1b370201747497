// Numbers, times and days as the present language writes them. All read the language: views that use them follow it.
import { computed } from '@preact/signals';
import { locale } from './language';

// Making one takes longer than all else that is done while a page opens, the first of all most: each is made when it is wanted, and once.
const numbers = computed(() => new Intl.NumberFormat(locale.value));
const percents = computed(() => new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }));

const time = { hour: '2-digit', minute: '2-digit' } as const;
const kinds = { clock: { ...time, second: '2-digit' }, minute: time, full: { dateStyle: 'medium', timeStyle: 'medium' }, day: { dateStyle: 'medium' } } as const;

/** The clocks of a time zone; those of the device where none is named, or one that the browser does not know. */
const clocks = computed(() => {
  const code = locale.value;
  const made = new Map<string, Intl.DateTimeFormat>();
  return (kind: keyof typeof kinds, timeZone?: string) => {
    const name = `${kind} ${timeZone}`;
    let its = made.get(name);
    if (!its) made.set(name, (its = clockOf(code, kinds[kind], timeZone)));
    return its;
  };
});

function clockOf(code: string, fields: Intl.DateTimeFormatOptions, timeZone: string | undefined): Intl.DateTimeFormat {
  const device = { ...fields, hourCycle: 'h23' } as const;
  try {
    return new Intl.DateTimeFormat(code, timeZone === undefined ? device : { ...device, timeZone });
  } catch {
    return new Intl.DateTimeFormat(code, device);
  }
}

/** Makes what the first view writes numbers and times with, before there is something to write. */
export function prepareFormats(): void {
  number(0);
  clockTime(0);
}

export const number = (n: number): string => numbers.value.format(n);

/** A part of a whole, never rounded up: 99.9 % are not all. Empty where there is no whole. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : percents.value.format(Math.floor((part / whole) * 100) / 100);

/** The time of day, with seconds: 14:03:12. */
export const clockTime = (time: number, timeZone?: string): string => clocks.value('clock', timeZone).format(time);
/** The time of day, without them: 14:03. */
export const minuteTime = (time: number, timeZone?: string): string => clocks.value('minute', timeZone).format(time);
/** The day: Nov 24, 2026. */
export const dayOf = (time: number, timeZone?: string): string => clocks.value('day', timeZone).format(time);
/** Day and time. */
export const fullTime = (time: number, timeZone?: string): string => clocks.value('full', timeZone).format(time);

/** The time of day, and the day where it was another one. */
export const shortTime = (time: number, now: number, timeZone?: string): string =>
  dayOf(time, timeZone) === dayOf(now, timeZone) ? clockTime(time, timeZone) : fullTime(time, timeZone);

/** Whether the clocks of a time zone show now what those of the device do. */
export const isHere = (timeZone: string | undefined, now: number): boolean => fullTime(now, timeZone) === fullTime(now);
