import { useRef } from 'preact/hooks';

/** Whether to show that something changed: not what changed before it came into sight. Two words for one motion, so that it starts again with each change. */
export function usePulse(pulse: number): 'odd' | 'even' | undefined {
  const first = useRef(pulse);
  if (pulse === first.current) return undefined;
  return pulse % 2 === 0 ? 'even' : 'odd';
}
