import { expect, test } from 'vitest';
import { Feed, feedLength, lotLength, type FeedItem } from '../src/live/feed';
import type { Spot } from '../src/live/wire';

const news = (spotId: string, lotId?: string, spot?: Partial<Spot>) => ({
  event: { spotId, status: 'free', timestamp: '2026-11-24T03:35:00.123Z', ...(lotId && { lotId }) },
  spot: spot as Spot | undefined,
});
const names = (items: readonly FeedItem[]) => items.map((item) => (item.kind === 'gap' ? 'gap' : item.name));

test('the newest comes first, of all and of each lot', () => {
  const feed = new Feed();
  feed.add([news('a-1', 'a'), news('b-1', 'b'), news('a-2', 'a')], 0);
  feed.add([news('x-1'), news('b-2', undefined, { lotId: 'b', name: 'Berth 2' })], 0);
  expect(names(feed.past())).toEqual(['Berth 2', 'x-1', 'a-2', 'b-1', 'a-1']);
  expect(names(feed.past('a'))).toEqual(['a-2', 'a-1']);
  expect(names(feed.past('b')), 'a spot that is known lends its name and lot').toEqual(['Berth 2', 'b-1']);
  expect(feed.past('c')).toEqual([]);
});

test('it keeps the newest lines only, of a busy lot and of a quiet one', () => {
  const feed = new Feed();
  feed.add([news('quiet', 'q')], 0);
  for (let i = 0; i < 30; i++) feed.add(Array.from({ length: 200 }, (_, j) => news(`${i * 200 + j}`, 'busy')), 0);
  expect(feed.past()).toHaveLength(feedLength);
  expect(names(feed.past())[0]).toBe('5999');
  expect(names(feed.past('q')), 'though all lots together have forgotten it').toEqual(['quiet']);
  expect(feed.past('busy')).toHaveLength(feedLength);
  expect(new Set(feed.past().map((item) => item.key)).size).toBe(feedLength);
});

test('of a lot that was busy before, as many lines as are kept of a lot, each once and in order', () => {
  const feed = new Feed();
  feed.add(Array.from({ length: 300 }, (_, i) => news(`a-${i}`, 'a')), 0);
  feed.add(Array.from({ length: feedLength - 100 }, (_, i) => news(`b-${i}`, 'b')), 0);
  const kept = names(feed.past('a'));
  expect(kept).toEqual(Array.from({ length: lotLength }, (_, i) => `a-${299 - i}`));
});

test('who has seen a line gets those after it', () => {
  const feed = new Feed();
  feed.add([news('a-1', 'a'), news('a-2', 'a')], 0);
  const seen = feed.newest.value;
  expect(feed.after(seen)).toEqual([]);
  feed.add([news('a-3', 'a')], 0);
  feed.addGap(1, 2);
  expect(names(feed.after(seen))).toEqual(['a-3', 'gap']);
});

test('a time that cannot be read is the time of arrival', () => {
  const feed = new Feed();
  feed.add([{ event: { spotId: 'a', status: 'free', timestamp: 'yesterday' }, spot: undefined }], 42);
  expect(feed.past()[0]!.at).toBe(42);
});

test('missed changes are admitted to those of every lot, and everything is forgotten for somebody else', () => {
  const feed = new Feed();
  feed.add([news('a-1', 'a')], 0);
  feed.addGap(1, 2);
  expect(names(feed.past())).toEqual(['gap', 'a-1']);
  expect(names(feed.past('a'))).toEqual(['gap', 'a-1']);
  feed.clear();
  expect([feed.past(), feed.past('a'), feed.era.value]).toEqual([[], [], 1]);
});
