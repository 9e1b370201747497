// Days of the week as the present language calls them.
import { computed } from '@preact/signals';
import { locale } from '../text/language';
import { days, type Day } from './wire';

const formats = computed(() => ({
  short: new Intl.DateTimeFormat(locale.value, { weekday: 'short', timeZone: 'UTC' }),
  long: new Intl.DateTimeFormat(locale.value, { weekday: 'long', timeZone: 'UTC' }),
}));

const monday = Date.UTC(2024, 0, 1);

export const weekday = (day: Day, style: 'short' | 'long'): string => formats.value[style].format(monday + days.indexOf(day) * 86_400_000);

/** Days in a row as "Mon–Fri", all others one by one; empty: every day. */
export function weekdays(on: readonly Day[] | undefined): string {
  if (on === undefined || on.length === days.length) return '';
  const at = days.map((day, i) => (on.includes(day) ? i : -1)).filter((i) => i >= 0);
  const inRow = at.length > 2 && at.at(-1)! - at[0]! === at.length - 1;
  const names = at.map((i) => weekday(days[i]!, 'short'));
  return inRow ? `${names[0]}–${names.at(-1)}` : names.join(', ');
}
