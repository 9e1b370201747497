import { expect, test } from 'vitest';
import { Feed, feedLength, type FeedItem } from '../src/live/feed';
import type { Spot } from '../src/live/wire';

const news = (spotId: string, lotId?: string, spot?: Partial<Spot>) => ({
  event: { spotId, status: 'free', timestamp: '2026-11-24T03:35:00.123Z', ...(lotId && { lotId }) },
  spot: spot as Spot | undefined,
});
const names = (items: readonly FeedItem[]) => items.map((item) => (item.kind === 'gap' ? 'gap' : item.name));

test('the newest is on top, and each lot has its own list', () => {
  const feed = new Feed();
  feed.add([news('a-1', 'a'), news('b-1', 'b'), news('a-2', 'a')], 0);
  feed.add([news('x-1'), news('b-2', undefined, { lotId: 'b', name: 'Berth 2' })], 0);
  expect(names(feed.items().value)).toEqual(['Berth 2', 'x-1', 'a-2', 'b-1', 'a-1']);
  expect(names(feed.items('a').value)).toEqual(['a-2', 'a-1']);
  expect(names(feed.items('b').value), 'a spot that is known lends its name and lot').toEqual(['Berth 2', 'b-1']);
});

test('it keeps the newest lines only, of a busy lot and of a quiet one', () => {
  const feed = new Feed();
  feed.add([news('quiet', 'q')], 0);
  for (let i = 0; i < 30; i++) feed.add(Array.from({ length: 10 }, (_, j) => news(`${i * 10 + j}`, 'busy')), 0);
  expect(feed.items().value).toHaveLength(feedLength);
  expect(names(feed.items().value)[0]).toBe('299');
  expect(names(feed.items('q').value)).toEqual(['quiet']);
  feed.add(Array.from({ length: 1000 }, (_, i) => news(`n${i}`, 'busy')), 0);
  expect(feed.items('busy').value).toHaveLength(feedLength);
  expect(new Set(feed.items().value.map((item) => item.key)).size).toBe(feedLength);
});

test('a time that cannot be read is the time of arrival', () => {
  const feed = new Feed();
  feed.add([{ event: { spotId: 'a', status: 'free', timestamp: 'yesterday' }, spot: undefined }], 42);
  expect(feed.items().value[0]!.at).toBe(42);
});

test('missed changes are admitted in every list', () => {
  const feed = new Feed();
  feed.add([news('a-1', 'a')], 0);
  feed.addGap(1, 2);
  expect(names(feed.items().value)).toEqual(['gap', 'a-1']);
  expect(names(feed.items('a').value)).toEqual(['gap', 'a-1']);
});
