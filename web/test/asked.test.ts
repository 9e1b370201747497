import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Asked, timing, type Page } from '../src/history/asked';
import { ProblemError } from '../src/live/http';

class FakePage extends EventTarget {
  visibilityState = 'visible';

  show(visible: boolean): void {
    this.visibilityState = visible ? 'visible' : 'hidden';
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

let page: FakePage, asked: Asked<number>, times: number, next: () => Promise<number>;
const ask = (signal: AbortSignal) => {
  times++;
  return Promise.race([next(), new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))]);
};
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const refusal = (status: number, retryAfter = 0) => Promise.reject(new ProblemError({ title: 'No', status }, retryAfter));

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-24T08:00:00Z') });
  page = new FakePage();
  asked = new Asked<number>(page as unknown as Page);
  times = 0;
  next = async () => times;
});

afterEach(() => vi.useRealTimers());

test('it asks at once, and again at its pace until it ends', async () => {
  const end = asked.follow(ask, 10_000);
  expect([asked.busy.value, asked.answer.value]).toEqual([true, undefined]);
  await pass(0);
  expect([asked.busy.value, asked.answer.value]).toEqual([false, 1]);
  await pass(20_000);
  expect(asked.answer.value).toBe(3);
  end();
  await pass(60_000);
  expect(times).toBe(3);
});

test('without a pace it asks once', async () => {
  asked.follow(ask, undefined);
  await pass(600_000);
  expect(times).toBe(1);
  asked.refresh();
  await pass(0);
  expect(times, 'what is over does not change').toBe(1);
  asked.again();
  await pass(0);
  expect(times).toBe(2);
});

test('a failure is told, what was known stays, and it is asked again, later each time', async () => {
  asked.follow(ask, 10_000);
  await pass(0);
  next = () => refusal(503);
  await pass(10_000);
  expect([asked.problem.value?.status, asked.answer.value]).toEqual([503, 1]);
  await pass(timing.firstRetry);
  expect(times).toBe(3);
  await pass(timing.firstRetry);
  expect(times, 'the second pause is longer').toBe(3);
  next = async () => 7;
  await pass(timing.firstRetry);
  expect([asked.problem.value, asked.answer.value]).toEqual([undefined, 7]);
});

test('it leaves the platform alone for as long as that asks', async () => {
  next = () => refusal(503, 20_000);
  asked.follow(ask, undefined);
  await pass(19_999);
  expect(times).toBe(1);
  await pass(1);
  expect(times).toBe(2);
});

test('nobody asks while nobody looks; who comes back sees what is new at once', async () => {
  asked.follow(ask, 10_000);
  await pass(0);
  page.show(false);
  await pass(3_600_000);
  expect(times).toBe(1);
  page.show(true);
  await pass(0);
  expect([times, asked.answer.value]).toEqual([2, 2]);
  page.show(false);
  page.show(true);
  await pass(0);
  expect(times, 'that was just now').toBe(2);
});

test('an answer to a question that is not asked any more is not shown', async () => {
  let answer = (_: number) => {};
  next = () => new Promise((resolve) => (answer = resolve));
  const end = asked.follow(ask, 10_000);
  const first = answer;
  end();
  next = async () => 2;
  asked.follow(ask, 10_000);
  await pass(0);
  first(1);
  await pass(0);
  expect(asked.answer.value).toBe(2);
});

test('a connection that is there again asks for what may be new', async () => {
  asked.follow(ask, 60_000);
  await pass(0);
  asked.refresh();
  await pass(0);
  expect(times, 'it is new still').toBe(1);
  await pass(timing.old + 1);
  asked.refresh();
  await pass(0);
  expect(times).toBe(2);
});
