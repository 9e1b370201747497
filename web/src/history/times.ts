// Times of the past are shown by the clocks of the lot. The service writes each with the offset that then held there, so that it tells the
// moment and what the clocks showed; no browser needs to know the lot's time zone.

const day = 86_400_000; // milliseconds

/** What the clocks showed, as a time whose UTC fields they are. */
export const wall = (time: string): number => Date.parse(`${time.slice(0, 19)}Z`);

/** The same of a moment, by clocks that are set as those of another time. */
export const wallAt = (moment: number, like: string): number => moment + wall(like) - Math.floor(Date.parse(like) / 1000) * 1000;

/** The offset of the clocks: +01:00. */
export const offsetOf = (time: string): string => /[+-]\d\d:\d\d$/.exec(time)?.[0] ?? '+00:00';

/** The times that the clocks showed twice, as where they were put back: their offset is to be said. */
export function repeated(times: readonly string[]): ReadonlySet<string> {
  const seen = new Map<string, string[]>();
  for (const time of times) {
    const shown = time.slice(0, 19);
    seen.set(shown, [...(seen.get(shown) ?? []), time]);
  }
  return new Set([...seen.values()].filter((same) => same.length > 1).flat());
}

/** The date of a time: 2026-11-24. */
export const dateOf = (wallTime: number): string => new Date(wallTime).toISOString().slice(0, 10);

/** The date at a moment by the clocks of a time zone; by UTC, where the browser does not know it. */
export function dateIn(timeZone: string | undefined, moment: number): string {
  try {
    const parts = new Intl.DateTimeFormat('en', { timeZone: timeZone ?? 'UTC', year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(moment);
    return (['year', 'month', 'day'] as const).map((type) => parts.find((part) => part.type === type)!.value).join('-');
  } catch {
    return dateOf(moment);
  }
}

/** The date so many days later. */
export const addDays = (date: string, days: number): string => dateOf(Date.parse(`${date}T00:00:00Z`) + days * day);

/** Whether a text is a date that there is. */
export function isDate(text: string | null): text is string {
  if (text === null || !/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && dateOf(time) === text;
}
