import { expect, test } from 'vitest';
import { english } from '../src/text/english';
import { german } from '../src/text/german';
import { inOrder, shortened } from '../src/text/labels';
import { parseEvent } from '../src/live/wire';

const { ago, happened } = english.common;
const { delay, staleness } = english.shell;
const event = (status: string, change?: string) => ({ spotId: 'c', status, timestamp: '', ...(change && { change }) });

test('changes are told in a sentence, with the status where it is not the one to expect', () => {
  expect(happened(event('occupied', 'occupied'))).toBe('became occupied');
  expect(happened(event('free', 'released'))).toBe('became free');
  expect(happened(event('reserved', 'released'))).toBe('became free, now reserved');
  expect(happened(event('out_of_service', 'faulted'))).toBe('went out of service');
  expect(happened(event('occupied', 'reopened'))).toBe('was reopened, now occupied');
  expect(happened(event('removed', 'removed'))).toBe('was removed');
  expect(happened(event('occupied')), 'another program').toBe('became occupied');
  expect(happened(event('on fire', 'ignited')), 'a change that is not known').toBe('became on fire');
});

test('times are told in the unit that matters', () => {
  const second = 1000, minute = 60 * second, hour = 60 * minute;
  const told = ([-5 * second, 0, 9 * second, 34 * second, 60 * second, 59 * minute, 61 * minute, 47 * hour, 50 * hour]).map((past) => ago(0, past));
  expect(told).toEqual(['now', 'now', 'now', '30 s', '1 min', '59 min', '1 h', '1 d', '2 d']);
});

test('an interrupted connection says since when; an open one says nothing', () => {
  const time = new Date(2026, 10, 24, 14, 3, 12).getTime();
  expect(staleness('offline', time)).toContain('14:03:12');
  expect(staleness('reconnecting', time)).toContain('14:03:12');
  expect(staleness('open', time)).toBe('');
  expect(staleness('connecting', undefined)).toBe('');
  expect(delay(time)).toContain('14:03:12');
});

test('a time of yesterday is told with its day', () => {
  const [evening, morning] = [new Date(2026, 10, 23, 23, 58, 30).getTime(), new Date(2026, 10, 24, 7, 0, 0).getTime()];
  for (const { feed, spot } of [english, german]) {
    for (const text of [feed.nothingSince(evening, morning), feed.gapBetween(evening, evening + 60_000, morning), spot.asOf(evening, morning)]) expect(text).toMatch(/Nov 23, 2026.*23:5/);
    for (const text of [feed.nothingSince(evening, evening + 1), spot.asOf(evening, evening + 1)]) expect(text).not.toContain('2026');
  }
});

test('labels lose what they have in common, where they are long, after a separator', () => {
  expect(shortened(['c-01', 'c-02'])).toEqual(['c-01', 'c-02']);
  expect(shortened(['north-L2-A01', 'north-L2-A02'])).toEqual(['A01', 'A02']);
  expect(shortened(['north-L2', 'north-L2-A02'])).toEqual(['L2', 'L2-A02']);
  expect(shortened(['A0001', 'A00012'])).toEqual(['A0001', 'A00012']);
  expect(shortened(['garage/1', 'garage/'])).toEqual(['garage/1', 'garage/']);
  expect(shortened(['the-only-one'])).toEqual(['the-only-one']);
  expect(shortened([])).toEqual([]);
});

test('numbers in names count as numbers', () => {
  expect(['A-10', 'a-9', 'A-1', 'A-01'].sort(inOrder)).toEqual(['A-01', 'A-1', 'a-9', 'A-10']);
});

test('an event is read with the fields that are as they should be', () => {
  expect(parseEvent({ spotId: 'a', status: 'free', timestamp: 't', version: '7', lotId: null, extra: 1 })).toEqual({ spotId: 'a', status: 'free', timestamp: 't' });
  for (const none of [undefined, null, '', 'spotId', 7, {}, { spotId: '' }, { spotId: 7 }, []]) expect(parseEvent(none)).toBeUndefined();
});
