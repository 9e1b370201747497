import { describe, expect, test } from 'vitest';
import type { SpotInterval } from '../src/history/wire';
import { ProblemError } from '../src/live/http';
import { hoursOf, piecesOf, sharesOf, strip, stripsByDay } from '../src/spot/strips';
import { Trail } from '../src/spot/trail';
import type { Entry, EntryPage } from '../src/spot/wire';

const entry = (n: number): Entry => ({ change: 'occupied', status: 'occupied', version: n, eventId: `e${n}`, recordedAt: '2026-11-24T03:35:00.123Z', source: 'sensor' });
const numbers = (trail: Trail) => trail.entries.value?.map(({ version }) => version);

/** A platform that has so many entries, and gives two on a page. */
function platform(newest: number) {
  const state = { newest, asked: 0, fails: false };
  const load = async (cursor: string | undefined): Promise<EntryPage> => {
    state.asked++;
    if (state.fails) throw new ProblemError({ title: 'Away' });
    const from = cursor === undefined ? state.newest : Number(cursor);
    const items = [from, from - 1].filter((n) => n > 0).map(entry);
    return from - 2 > 0 ? { items, next: String(from - 2) } : { items };
  };
  return { state, trail: new Trail(load) };
}

describe('the trail of a spot', () => {
  test('goes into the past page by page, until there is no more', async () => {
    const { trail } = platform(5);
    expect(trail.entries.value).toBeUndefined();
    await trail.refresh();
    expect(numbers(trail)).toEqual([5, 4]);
    await trail.older();
    await trail.older();
    expect([numbers(trail), trail.next.value]).toEqual([[5, 4, 3, 2, 1], undefined]);
    await trail.older();
    expect(numbers(trail)).toEqual([5, 4, 3, 2, 1]);
  });

  test('gets what is new on top, once, and goes on into the past where it was', async () => {
    const { state, trail } = platform(4);
    await trail.refresh();
    await trail.refresh();
    expect(numbers(trail)).toEqual([4, 3]);
    state.newest = 5;
    await trail.refresh();
    expect(numbers(trail)).toEqual([5, 4, 3]);
    await trail.older();
    expect(numbers(trail)).toEqual([5, 4, 3, 2, 1]);
  });

  test('begins anew rather than with a hole, where more is new than a page has', async () => {
    const { state, trail } = platform(3);
    await trail.refresh();
    state.newest = 9;
    await trail.refresh();
    expect([numbers(trail), trail.next.value]).toEqual([[9, 8], '7']);
  });

  test('that is asked for while it is fetched is fetched once more', async () => {
    const { state, trail } = platform(1);
    const first = trail.refresh();
    state.newest = 2;
    await Promise.all([trail.refresh(), trail.refresh(), first]);
    expect([numbers(trail), state.asked]).toEqual([[2, 1], 2]);
  });

  test('says what is wrong and keeps what it has', async () => {
    const { state, trail } = platform(1);
    await trail.refresh();
    state.fails = true;
    await trail.refresh();
    expect([numbers(trail), trail.problem.value?.title, trail.busy.value]).toEqual([[1], 'Away', false]);
    state.fails = false;
    await trail.refresh();
    expect(trail.problem.value).toBeUndefined();
  });
});

describe('the time of a spot', () => {
  const hour = 3_600_000;
  const day = Date.UTC(2026, 10, 24);
  const interval = (status: string, begin: string, end?: string): SpotInterval => ({ status, begin: `2026-11-${begin}:00+01:00`, ...(end && { end: `2026-11-${end}:00+01:00` }) });
  const pieces = piecesOf(
    [interval('free', '23T22:00', '24T06:00'), interval('occupied', '24T06:00', '24T18:00'), interval('odd', '24T18:00')],
    '2026-11-23T21:00:00+01:00', '2026-11-24T21:00:00+01:00', '2026-11-24T19:00:00.000Z',
  );

  test('is what the clocks of the lot showed; what goes on reaches up to what is known, and an unknown word is unknown', () => {
    expect(pieces.map(({ status, from, to }) => [status, (from - day) / hour, (to - day) / hour])).toEqual([['free', -2, 6], ['occupied', 6, 18], ['unknown', 18, 20]]);
  });

  test('is cut to what is shown', () => {
    expect(strip(pieces, day, day + 12 * hour).pieces.map(({ from, to }) => [(from - day) / hour, (to - day) / hour])).toEqual([[0, 6], [6, 12]]);
    expect(strip(pieces, day + 30 * hour, day + 31 * hour).pieces).toEqual([]);
  });

  test('is a strip for each day, the newest first, of which none is lost', () => {
    const strips = stripsByDay(pieces, day - 2 * hour, day + 20 * hour);
    expect(strips.map(({ from, to }) => [(from - day) / hour, (to - day) / hour])).toEqual([[0, 24], [-24, 0]]);
    const length = (list: readonly { from: number; to: number }[]) => list.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(length(strips.flatMap((each) => each.pieces))).toBe(length(pieces));
  });

  test('is told in shares that add up, the most first', () => {
    const shares = sharesOf(pieces);
    expect(shares.map(({ status }) => status)).toEqual(['occupied', 'free', 'unknown']);
    expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect(shares[0]!.minutes).toBe(720);
    expect(sharesOf([])).toEqual([]);
  });

  test('has whole hours marked, few of them', () => {
    expect(hoursOf({ from: day, to: day + 24 * hour }).map((at) => (at - day) / hour)).toEqual([0, 4, 8, 12, 16, 20]);
    expect(hoursOf({ from: day, to: day + 24 * hour + 500 }).length, 'a moment more is no fifth hour').toBe(6);
    expect(hoursOf({ from: day + 20.1 * hour, to: day + 44.1 * hour }).map((at) => (at - day) / hour), 'none at the very end').toEqual([24, 28, 32, 36, 40]);
    expect(hoursOf({ from: day + 0.5 * hour, to: day + 2.5 * hour }).map((at) => (at - day) / hour)).toEqual([1, 2]);
  });

  test('is cut to what was asked for, and known of, by its moments', () => {
    const cut = piecesOf([interval('free', '20T00:00', '24T06:00'), interval('occupied', '24T06:00')], '2026-11-24T00:00:00+01:00', '2026-11-24T12:00:00+01:00', '2026-11-24T10:00:00Z');
    expect(cut.map(({ from, to, begin, end }) => [(from - day) / hour, (to - day) / hour, (end - begin) / hour])).toEqual([[0, 6, 6], [6, 11, 5]]);
  });

  describe('at which clocks are changed', () => {
    const whole = (items: SpotInterval[], date: string) => piecesOf(items, `2026-${date}T00:00:00+02:00`, `2026-${date}T23:00:00+01:00`, `2026-${date}T22:00:00Z`);

    test('is as long as it was when they are put back', () => {
      const night = whole([{ status: 'occupied', begin: '2026-10-25T01:00:00+02:00', end: '2026-10-25T05:00:00+01:00' }, { status: 'free', begin: '2026-10-25T05:00:00+01:00', end: '2026-10-25T10:00:00+01:00' }], '10-25');
      expect(sharesOf(night).map(({ status, minutes, share }) => [status, minutes, share])).toEqual([['occupied', 300, 0.5], ['free', 300, 0.5]]);
      expect(night.map(({ turned }) => turned), 'and says by which clocks it began and ended').toEqual([['+02:00', '+01:00'], undefined]);
    });

    test('is as long as it was when they are put forward', () => {
      const morning = piecesOf([{ status: 'occupied', begin: '2026-03-29T01:00:00+01:00', end: '2026-03-29T05:00:00+02:00' }], '2026-03-29T00:00:00+01:00', '2026-03-29T12:00:00+02:00', '2026-03-29T10:00:00Z');
      expect(sharesOf(morning)[0]!.minutes).toBe(180);
    });

    test('is there, though not drawn backwards, within the hour that comes twice', () => {
      const hourTwice = whole([{ status: 'free', begin: '2026-10-25T02:50:00+02:00', end: '2026-10-25T02:10:00+01:00' }, { status: 'occupied', begin: '2026-10-25T02:10:00+01:00', end: '2026-10-25T02:50:00+01:00' }], '10-25');
      expect(hourTwice.map(({ status, begin, end }) => [status, (end - begin) / 60_000])).toEqual([['free', 20], ['occupied', 40]]);
      const [from, to] = [Date.UTC(2026, 9, 25), Date.UTC(2026, 9, 26)];
      expect(strip(hourTwice, from, to).pieces.map(({ status }) => status)).toEqual(['occupied']);
      expect(new Set(hourTwice.map(({ begin }) => begin)).size, 'and each is told from the other').toBe(2);
    });
  });
});
