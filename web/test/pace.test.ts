import { expect, test, vi } from 'vitest';
import { inTurns, PacedTurns } from '../src/ui/pace';

/** So many steps, of which each takes so long. */
function* steps(count: number, milliseconds: number): Generator<void, number> {
  for (let i = 0; i < count; i++) {
    for (const until = performance.now() + milliseconds; performance.now() < until;);
    yield;
  }
  return count;
}

test('what is soon made is made at once', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0); // a busy machine may be slow at anything
  const done = vi.fn();
  inTurns((function* () {
    for (let i = 0; i < 100; i++) yield;
    return 100;
  })(), done);
  clock.mockRestore();
  expect(done).toHaveBeenCalledWith(100, expect.any(Number));
});

test('what takes long is made in turns, between which the page goes on', async () => {
  let others = 0;
  const clock = setInterval(() => others++, 1);
  const [made, taken] = await new Promise<[number, number]>((resolve) => inTurns(steps(20, 5), (...what) => resolve(what)));
  clearInterval(clock);
  expect(made).toBe(20);
  expect(taken, 'what is between the turns does not count').toBeGreaterThanOrEqual(100);
  expect(others).toBeGreaterThanOrEqual(3);
});

test('what is called off is not made', async () => {
  const done = vi.fn();
  inTurns(steps(20, 5), done)();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(done).not.toHaveBeenCalled();
});

test('what takes longer to make than it stays as it is is made all the same, and once more afterwards', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let time = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => time);
  const made: number[] = [];
  let version = 0;
  let changes = true;
  const turns: PacedTurns<number> = new PacedTurns(function* () {
    const begun = version;
    for (let i = 0; i < 10; i++) {
      time += 100;
      if (changes) {
        version++;
        turns.later();
      }
      yield;
    }
    return begun;
  }, (begun) => made.push(begun));
  const pass = (enough: () => boolean) => {
    for (let i = 0; i < 1_000 && !enough(); i++, time += 10) vi.advanceTimersByTime(100);
  };
  turns.now();
  pass(() => made.length >= 2);
  expect(made, 'what was made first is done, though it changed all the time').toEqual([0, 10]);
  changes = false;
  pass(() => made.at(-1) === version);
  expect(made.at(-1), 'in the end it is what is').toBe(version);
  clock.mockRestore();
  vi.useRealTimers();
});
