import { afterEach, expect, test, vi } from 'vitest';
import { bucketName, decimal, duration, share, weekday } from '../src/history/format';
import { cellsOf, together, topOf } from '../src/history/heat';
import { liveOf } from '../src/history/present';
import { bucketAt, countSteps, durationSteps, extremes, highest, plotted, scaleOf, ticksOf, type Line } from '../src/history/series';
import { addDays, dateIn, dateOf, isDate, offsetOf, repeated, wall, wallAt } from '../src/history/times';
import { earlier, later, pace, parametersOf, periodOf, readView, weeksOf, type View } from '../src/history/view';
import type { Bucket, HourOfWeek, Measures } from '../src/history/wire';
import { languages } from '../src/text/language';
import { useLanguage } from '../src/text/words';

const hour = 3_600_000;
const measures: Measures = {
  spots: 10, totalSessions: 2, turnoverPerHour: 2, sessionsPerSpot: 0.2, averageDwellTimeMinutes: 50, medianDwellTimeMinutes: 40,
  occupancy: 0.5, silentShare: 0, arrivals: 3, departures: 2, lengthSeconds: 3600,
};
const bucket = (begin: string, end: string, more: Partial<Bucket> = {}): Bucket => ({ ...measures, begin, end, ongoing: false, ...more });
/** The hours of a day by clocks at this offset. */
const hours = (date: string, count = 24): Bucket[] => Array.from({ length: count }, (_, i) => {
  const at = (n: number) => `${addDays(date, Math.floor(n / 24))}T${String(n % 24).padStart(2, '0')}:00:00+01:00`;
  return bucket(at(i), at(i + 1));
});
const line = (of: Line['of'], shape: Line['shape'] = 'steps'): Line => ({ key: 'some', shape, of });

afterEach(() => useLanguage(languages[0]!));

test('times are what the clocks of the lot showed, wherever the browser is', () => {
  expect(new Date(wall('2026-11-24T08:00:00+01:00')).toISOString()).toBe('2026-11-24T08:00:00.000Z');
  expect(new Date(wall('2026-11-24T08:00:00.123456789-03:00')).toISOString()).toBe('2026-11-24T08:00:00.000Z');
  expect(dateOf(wallAt(Date.parse('2026-11-24T23:30:00Z'), '2026-11-25T01:00:00+01:00'))).toBe('2026-11-25');
  expect(dateOf(wallAt(Date.parse('2026-11-24T00:30:00Z'), '2026-11-25T01:00:00.055-03:00'))).toBe('2026-11-23');
  expect([offsetOf('2026-11-24T08:00:00+01:00'), offsetOf('2026-11-24T08:00:00Z')]).toEqual(['+01:00', '+00:00']);
});

test('the hour that comes twice is told apart by its offset', () => {
  const times = ['2026-10-25T02:00:00+02:00', '2026-10-25T02:00:00+01:00', '2026-10-25T03:00:00+01:00'];
  const twice = repeated(times);
  expect([...twice]).toEqual(times.slice(0, 2));
  expect(times.map((time) => bucketName(time, 'hour', twice.has(time)))).toEqual(['Sun, Oct 25, 02:00 (+02:00)', 'Sun, Oct 25, 02:00 (+01:00)', 'Sun, Oct 25, 03:00']);
  expect(bucketName('2026-10-25T00:00:00+02:00', 'day', false)).toBe('Sun, Oct 25');
});

test('dates are those that there are', () => {
  expect(['2026-11-24', '2024-02-29', '2026-02-29', '2026-13-01', '24.11.2026', '', null].map(isDate)).toEqual([true, true, false, false, false, false, false]);
  expect([addDays('2026-12-31', 1), addDays('2026-03-01', -1)]).toEqual(['2027-01-01', '2026-02-28']);
});

test('what is looked at is in the address, and what is usual is not said there', () => {
  const read = (search: string) => readView(new URLSearchParams(search));
  const usual: View = { range: 'day', on: undefined, zone: undefined, measure: 'occupancy', span: 4, sameDay: false };
  expect(read('')).toEqual(usual);
  expect(read('range=century&on=yesterday&measure=luck&weeks=5')).toEqual(usual);
  const view: View = { range: 'week', on: '2026-11-24', zone: 'L1', measure: 'silent', span: 12, sameDay: true };
  const parameters = Object.entries(parametersOf(view)).filter((each): each is [string, string] => each[1] !== undefined);
  expect(readView(new URLSearchParams(parameters))).toEqual(view);
  expect(Object.values(parametersOf(usual)).every((value) => value === undefined)).toBe(true);
  expect(read('range=hour&on=2026-11-24').on, 'the last hour is the last one').toBeUndefined();
});

test('the time that is asked for reaches up to the present, or is whole days of the lot', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  const view = readView(new URLSearchParams());
  expect(periodOf(view, now)).toEqual({ from: '2026-11-29T12:00:00.000Z' });
  expect(periodOf({ ...view, range: 'hour' }, now)).toEqual({ from: '2026-11-30T11:00:00.000Z' });
  expect(periodOf({ ...view, range: 'month' }, now), '30 days, of which today is one').toEqual({ from: '2026-11-01T12:00:00.000Z' });
  expect(periodOf({ ...view, range: 'week', on: '2026-11-24' }, now)).toEqual({ from: '2026-11-18', to: '2026-11-25' });
  expect(weeksOf({ ...view, on: '2026-11-24' }, now)).toEqual({ from: '2026-10-28', to: '2026-11-25' });
  expect(weeksOf(view, now)).toEqual({ from: '2026-11-02T12:00:00.000Z' });
});

test('one goes back by as much as is seen, and forward until the present is followed again', () => {
  const today = '2026-11-30';
  const live = readView(new URLSearchParams('range=week'));
  const past = earlier(live, today);
  expect([past.on, earlier(past, today).on]).toEqual(['2026-11-23', '2026-11-16']);
  expect(later(past, today).on).toBeUndefined();
  expect(later(live, today)).toBe(live);
  const west = dateIn('America/Los_Angeles', Date.parse('2026-11-25T03:00:00Z')); // evening there, while it is tomorrow by UTC
  expect([west, pace({ ...live, on: west }, west), dateIn('Europe/Berlin', Date.parse('2026-11-24T23:30:00Z')), dateIn('Nowhere/Land', 0), dateIn(undefined, 0)])
    .toEqual(['2026-11-24', 60_000, '2026-11-25', '1970-01-01', '1970-01-01']);
  expect([pace(live, today), pace(past, today), pace({ ...live, on: today }, today)]).toEqual([60_000, undefined, 60_000]);
});

test('shares, numbers and lengths of time are written in the language', async () => {
  expect([0, 0.0001, 0.0449, 0.5, 0.999, 1, null].map(share)).toEqual(['0%', '0.1%', '4.5%', '50%', '99%', '100%', '–']);
  expect([0.4, 42.4, 60, 130, 1500, null].map(duration)).toEqual(['24 sec', '42 min', '1 hr', '2 hr 10 min', '1 day 1 hr', '–']);
  expect([decimal(4.75), weekday(1), weekday(7, true)]).toEqual(['4.8', 'Monday', 'Sun']);
  await useLanguage(languages[1]!);
  expect([share(0.0449), duration(130), decimal(4.75), weekday(1)]).toEqual(['4,5\u00a0%', '2 Std. 10 Min.', '4,8', 'Montag']);
});

test('a line holds from the begin of a bucket to its end, and has a hole where nothing is known', () => {
  const items = [bucket('2026-11-24T08:00:00Z', '2026-11-24T09:00:00Z'), bucket('2026-11-24T09:00:00Z', '2026-11-24T10:00:00Z', { occupancy: null, ongoing: true })];
  const begin = Date.parse('2026-11-24T08:00:00Z');
  const [times, values] = plotted(items, '2026-11-24T09:30:00Z', [line(({ occupancy }) => occupancy)]);
  expect(times).toEqual([begin, begin + 1, begin + hour - 2, begin + hour - 1, begin + hour, begin + hour + 1, begin + 1.5 * hour - 2, begin + 1.5 * hour - 1]);
  expect(values).toEqual([0.5, 0.5, 0.5, 0.5, null, null, null, null]);
  expect([0, 3, 4, 7].map(bucketAt)).toEqual([0, 0, 1, 1]);
});

test('bars stand on the ground and apart; times go up even where a bucket has only begun', () => {
  const items = hours('2026-11-24', 3).map((each, i) => (i === 2 ? { ...each, ongoing: true } : each));
  const [times, values] = plotted(items, '2026-11-24T01:00:00Z', [line(({ totalSessions }) => totalSessions, 'bars')]);
  expect(values!.slice(0, 4)).toEqual([0, 2, 2, 0]);
  expect(times.every((time, i) => i === 0 || time > times[i - 1]!)).toBe(true);
  expect(times[4]! - times[3]!).toBeGreaterThan(0.15 * hour);
});

test('an axis ends at a round number, with few marks', () => {
  expect([0, 1, 5, 6, 23, 101, 10_000_000].map((most) => scaleOf(most, countSteps))).toEqual([
    { top: 1, every: 1 }, { top: 1, every: 1 }, { top: 5, every: 1 }, { top: 6, every: 2 }, { top: 25, every: 5 }, { top: 150, every: 50 }, { top: 10_000_000, every: 2_000_000 },
  ]);
  expect(scaleOf(100, durationSteps)).toEqual({ top: 120, every: 30 });
  expect(highest(hours('2026-11-24'), ({ arrivals }) => arrivals, () => null)).toBe(3);
});

test('time is marked at round hours of the lot’s clocks, days where there are many, and no more than there is room for', () => {
  const day = ticksOf(hours('2026-11-24'), 'hour', 8);
  expect(day.map(({ wall: at }) => new Date(at).getUTCHours())).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
  expect(day.map(({ as }) => as).slice(0, 2), 'a day that begins is named').toEqual(['date', 'time']);
  const week = ticksOf(hours('2026-11-24', 168), 'hour', 8);
  expect(week.map(({ as, wall: at }) => [as, new Date(at).getUTCHours()])).toEqual(Array.from({ length: 7 }, () => ['date', 0]));
  expect(ticksOf(hours('2026-11-24', 168), 'hour', 4)).toHaveLength(4);
  const days = Array.from({ length: 365 }, (_, i) => bucket(`${addDays('2026-01-01', i)}T00:00:00+01:00`, `${addDays('2026-01-01', i + 1)}T00:00:00+01:00`));
  expect(ticksOf(days, 'day', 12).map(({ as }) => as)).toEqual(Array.from({ length: 12 }, () => 'month'));
  expect(ticksOf(days.slice(0, 30), 'day', 6).every(({ wall: at }) => new Date(at).getUTCDay() === 1)).toBe(true);
  expect(ticksOf([], 'day', 6)).toEqual([]);
});

test('the fullest and the emptiest are among those of which something is known', () => {
  const [a, b, c] = hours('2026-11-24', 3) as [Bucket, Bucket, Bucket];
  const found = extremes([{ ...a, occupancy: null }, { ...b, occupancy: 0.2 }, { ...c, occupancy: 0.9 }]);
  expect([found?.least.begin, found?.most.begin]).toEqual([b.begin, c.begin]);
  expect(extremes([{ ...a, occupancy: null }])).toBeUndefined();
});

test('a heat map has shades for what is known, and says why nothing is', () => {
  const items = Array.from({ length: 168 }, (_, i): HourOfWeek => ({ ...measures, weekday: Math.floor(i / 24) + 1, hour: i % 24 }));
  const at = (weekday: number, h: number) => (weekday - 1) * 24 + h;
  items[at(1, 8)] = { ...items[at(1, 8)]!, occupancy: 1, turnoverPerHour: 8 };
  items[at(7, 23)] = { ...items[at(7, 23)]!, occupancy: null, silentShare: 1 };
  items[at(3, 4)] = { ...items[at(3, 4)]!, occupancy: null, silentShare: null, spots: 0 };
  const cells = cellsOf({ items }, 'occupancy');
  expect([cells.length, cells[6]!.length]).toEqual([7, 24]);
  expect([cells[0]![8]!.shade, cells[0]![9]!.shade, cells[6]![23]!.lack, cells[2]![4]!.lack]).toEqual([9, 5, 'silent', 'none']);
  expect(topOf({ items }, 'turnover')).toBe(8);
  expect(cellsOf({ items }, 'turnover')[0]![9]!.shade, 'a quarter of the highest').toBe(2);
  expect(cellsOf({ items }, 'turnover')[2]![4]!.lack, 'no spot, and not no stay').toBe('none');
  expect(together([8, 9, 17, 23])).toEqual([{ from: 8, to: 10 }, { from: 17, to: 18 }, { from: 23, to: 24 }]);
});

test('what is live is reckoned as the history does: without what nobody knows or could have used', () => {
  const counts = { total: 10, free: 2, reserved: 1, occupied: 3, unknown: 2, out_of_service: 1, closed: 1 };
  expect(liveOf(counts)).toEqual({ share: 0.5, occupied: 3, offered: 6 });
  expect(liveOf({ ...counts, free: 0, reserved: 0, occupied: 0 }).share).toBeNull();
});

test('the browser’s own time zone is of no matter', () => {
  vi.stubEnv('TZ', 'America/Sao_Paulo');
  expect(bucketName('2026-11-24T00:00:00+01:00', 'day', false)).toBe('Tue, Nov 24');
  vi.unstubAllEnvs();
});
