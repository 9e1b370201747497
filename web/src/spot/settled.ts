import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** The value as it was a moment ago: the history service hears of a change a moment after this page. */
export function useSettled<T>(value: T, delay = 1_500): T {
  const settled = useSignal(value);
  useEffect(() => {
    const timer = setTimeout(() => (settled.value = value), delay);
    return () => clearTimeout(timer);
  }, [settled, value, delay]);
  return settled.value;
}
