import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Telling } from '../src/alerts/telling';
import { unread } from '../src/alerts/unread';
import type { Decision } from '../src/alerts/wire';
import type { Account } from '../src/identity/account';
import { ProblemError } from '../src/live/http';
import type { Session } from '../src/live/session';

const notified = vi.hoisted(() => vi.fn());
vi.mock('../src/alerts/notify', () => ({ notify: notified }));

const decision = (sequence: number): Decision => ({
  id: `d${sequence}`, sequence, ruleId: 'r', ruleName: 'Work', condition: { type: 'any_free' }, target: { lotId: 'l' }, decidedAt: '', occurredAt: '', text: `${sequence}`,
});
const person = { subject: 'anna', name: 'Anna', scope: 'read' as const };

let told: Decision[]; // what the platform has, the newest first
let away: boolean;
let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
let asked: string[];

beforeEach(() => {
  vi.useFakeTimers();
  [told, away, stream, asked] = [[], false, undefined, []];
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => kept.set(name, value) });
  vi.stubGlobal('BroadcastChannel', undefined);
  vi.stubGlobal('navigator', {}); // without locks: as on a page that is not encrypted
  vi.stubGlobal('fetch', async (address: string) => {
    asked.push(address);
    return new Response(new ReadableStream<Uint8Array>({ start: (controller) => void (stream = controller) }));
  });
  notified.mockClear();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function begin() {
  const api = {
    token: async () => 't',
    ask: async () => {
      if (away) throw new ProblemError({ title: 'away' });
      return { items: told.slice(0, 50) };
    },
  };
  const telling = new Telling({ api } as unknown as Session);
  const end = telling.begin(person, { check: async () => undefined, person: signal(person) } as unknown as Account);
  return { telling, end };
}

async function tell(sequence: number): Promise<void> {
  told.unshift(decision(sequence));
  stream!.enqueue(new TextEncoder().encode(`event: alert\ndata: ${JSON.stringify(decision(sequence))}\n\n`));
  await vi.advanceTimersByTimeAsync(0);
}

const sequences = (list: readonly Decision[]) => list.map(({ sequence }) => sequence);

test('what was told before is in the list, and what is told now in the page too', async () => {
  told = [decision(7), decision(3)];
  const { telling, end } = begin();
  await vi.advanceTimersByTimeAsync(10);
  expect(asked).toEqual(['/api/v1/alerts/stream?after=7']);
  await tell(9);
  expect(sequences(telling.told.value)).toEqual([9, 7, 3]);
  expect(sequences(telling.standing.value)).toEqual([9]);
  expect(unread.value, 'who comes for the first time has nothing behind them').toBe(1);
  expect(notified).toHaveBeenCalledOnce();
  telling.see();
  expect(unread.value).toBe(0);
  telling.dismiss(decision(9));
  expect(telling.standing.value).toEqual([]);
  end();
  expect(telling.told.value).toEqual([]);
});

test('what was told while no page was open is unread in the next one', async () => {
  told = [decision(7)];
  const first = begin();
  await vi.advanceTimersByTimeAsync(10);
  first.telling.keepPlace();
  first.end();
  told = [decision(9), decision(8), decision(7)];
  const { telling, end } = begin();
  await vi.advanceTimersByTimeAsync(10);
  expect([unread.value, telling.seen]).toEqual([2, 7]);
  expect(telling.standing.value, 'it does not stand in the way').toEqual([]);
  end();
});

test('after a sleep what was missed is there, once', async () => {
  told = [decision(1)];
  const { telling, end } = begin();
  await vi.advanceTimersByTimeAsync(10);
  told = [decision(3), decision(2), decision(1)];
  await telling.wake();
  expect(sequences(telling.standing.value)).toEqual([3, 2]);
  await tell(3);
  expect(sequences(telling.told.value), 'the stream says it again').toEqual([3, 2, 1]);
  end();
});

test('a stream begins when it is known what was told before: else all of that would stand in the page', async () => {
  away = true;
  told = [decision(5)];
  const { telling, end } = begin();
  await vi.advanceTimersByTimeAsync(10);
  expect([asked, telling.state.value]).toEqual([[], 'waiting']);
  away = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toEqual(['/api/v1/alerts/stream?after=5']);
  expect([telling.state.value, telling.standing.value]).toEqual(['open', []]);
  end();
});
