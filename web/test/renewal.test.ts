import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renewWall } from '../src/shell/renewal';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a wall display is loaded anew where there is a newer page, but not when it is none any more: somebody may be writing', () => {
  const [outdated, kiosk, reload] = [signal(false), signal(true), vi.fn()];
  const end = renewWall(outdated, kiosk, reload, 60_000);
  vi.advanceTimersByTime(60_000);
  expect(reload).not.toHaveBeenCalled();
  outdated.value = true;
  kiosk.value = false;
  vi.advanceTimersByTime(60_000);
  expect(reload).not.toHaveBeenCalled();
  kiosk.value = true;
  vi.advanceTimersByTime(60_000);
  expect(reload).toHaveBeenCalledTimes(1);
  end();
});
