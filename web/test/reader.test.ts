import { signal } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { isNarrow, parametersOf, readFilter, sieveOf, type Filter } from '../src/feed/filter';
import { Reader } from '../src/feed/reader';
import { Feed, type FeedItem } from '../src/live/feed';
import type { ParkingEvent, Spot } from '../src/live/wire';
import { folded } from '../src/text/search';

const everything: Filter = { lot: undefined, zone: undefined, outcomes: [], kinds: [], text: '' };
const news = (spotId: string, more: Partial<ParkingEvent> = {}) => ({
  event: { spotId, status: 'free', change: 'released', timestamp: '2026-11-24T03:35:00.123Z', lotId: spotId[0]!, ...more },
  spot: undefined as Spot | undefined,
});
const names = (items: readonly FeedItem[]) => items.map((item) => (item.kind === 'gap' ? 'gap' : item.name));

function reading(filter: Filter = everything, length?: number) {
  const feed = new Feed();
  const held = signal(false);
  const chosen = signal(filter);
  const sieve = signal(sieveOf(filter, ({ name, lotId }) => folded(`${name} lot ${lotId}`)));
  chosen.subscribe((now) => (sieve.value = sieveOf(now, ({ name, lotId }) => folded(`${name} lot ${lotId}`))));
  const reader = new Reader(feed, sieve, held, length);
  const end = reader.follow();
  return { feed, held, chosen, reader, end, lines: () => names(reader.lines.value) };
}

test('lines come as they happen, the newest first', () => {
  const { feed, lines } = reading();
  feed.add([news('a-1'), news('a-2')], 0);
  feed.add([news('b-1')], 0);
  expect(lines()).toEqual(['b-1', 'a-2', 'a-1']);
});

test('who begins late sees what the feed has', () => {
  const feed = new Feed();
  feed.add([news('a-1')], 0);
  expect(names(new Reader(feed, signal(sieveOf(everything, () => '')), signal(false)).lines.value)).toEqual(['a-1']);
});

describe('while it is held', () => {
  test('it stays as it is and counts what comes; then it goes on without a gap', () => {
    const { feed, held, reader, lines } = reading();
    feed.add([news('a-1')], 0);
    held.value = true;
    feed.add([news('a-2'), news('a-3')], 0);
    feed.add([news('a-4')], 0);
    expect([lines(), reader.waiting.value]).toEqual([['a-1'], 3]);
    held.value = false;
    expect([lines(), reader.waiting.value]).toEqual([['a-4', 'a-3', 'a-2', 'a-1'], 0]);
  });

  test('it keeps no more than it would show, however long that is', () => {
    const { feed, held, reader } = reading(everything, 5);
    held.value = true;
    for (let i = 0; i < 20; i++) feed.add([news(`a-${i}`)], 0);
    expect(reader.waiting.value).toBe(20);
    held.value = false;
    expect(names(reader.lines.value)).toEqual(['a-19', 'a-18', 'a-17', 'a-16', 'a-15']);
  });
});

describe('a filter', () => {
  test('takes lots, zones, statuses, changes and words', () => {
    const { feed, chosen, lines } = reading();
    feed.add([
      news('a-1', { zoneId: 'z1' }),
      news('a-2', { zoneId: 'z2', status: 'unknown', change: 'signal_lost' }),
      news('b-1', { status: 'removed', change: 'removed' }),
    ], 0);
    const given = (filter: Partial<Filter>) => {
      chosen.value = { ...everything, ...filter };
      return lines();
    };
    expect(given({ lot: 'a' })).toEqual(['a-2', 'a-1']);
    expect(given({ lot: 'a', zone: 'z1' })).toEqual(['a-1']);
    expect(given({ outcomes: ['unknown', 'removed'] })).toEqual(['b-1', 'a-2']);
    expect(given({ kinds: ['signal_lost', 'signal_restored'] })).toEqual(['a-2']);
    expect(given({ text: 'LOT  b' })).toEqual(['b-1']);
    expect(given({ text: 'nothing' })).toEqual([]);
    expect(given({})).toEqual(['b-1', 'a-2', 'a-1']);
  });

  test('never hides that changes are missing', () => {
    const { feed, lines } = reading({ ...everything, lot: 'a', text: 'x' });
    feed.addGap(1, 2);
    expect(lines()).toEqual(['gap']);
  });

  test('keeps rare lines that the feed has forgotten', () => {
    const { feed, lines } = reading({ ...everything, kinds: ['faulted'] });
    feed.add([news('a-1', { change: 'faulted' })], 0);
    for (let i = 0; i < 60; i++) feed.add(Array.from({ length: 100 }, (_, j) => news(`b-${i}-${j}`)), 0);
    expect(names(feed.past())).not.toContain('a-1');
    expect(lines()).toEqual(['a-1']);
  });

  test('is in the address, as far as it narrows anything', () => {
    expect(parametersOf(everything)).toEqual({ lot: undefined, zone: undefined, status: undefined, change: undefined, q: undefined });
    const query = new URLSearchParams('lot=a&zone=z&status=removed,free,odd&change=faulted,occupied&q=north');
    expect(readFilter(query)).toEqual({ lot: 'a', zone: 'z', outcomes: ['free', 'removed'], kinds: ['occupied', 'faulted'], text: 'north' });
    expect(parametersOf(readFilter(query))).toEqual({ lot: 'a', zone: 'z', status: 'free,removed', change: 'occupied,faulted', q: 'north' });
    expect([isNarrow(everything), isNarrow(readFilter(query))]).toEqual([false, true]);
  });
});

test('for somebody else it is empty again, and who has left hears nothing', () => {
  const { feed, lines, end } = reading();
  feed.add([news('a-1')], 0);
  feed.clear();
  expect(lines()).toEqual([]);
  feed.add([news('a-2')], 0);
  expect(lines()).toEqual(['a-2']);
  end();
  feed.add([news('a-3')], 0);
  expect(lines()).toEqual(['a-2']);
});
