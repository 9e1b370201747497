import { useComputed, useSignal, type ReadonlySignal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Session } from '../live/session';
import type { Sieve } from './filter';
import { Reader } from './reader';

/** What holds the lines still: the button, and that somebody has moved away from the newest line, or has the focus in one. */
export interface Pace {
  readonly paused: Signal<boolean>;
  readonly away: Signal<boolean>;
  readonly inside: Signal<boolean>;
  readonly held: ReadonlySignal<boolean>;
}

/** A reader for a view, as long as the view is there. */
export function useReader(session: Session, sieve: ReadonlySignal<Sieve>, length: number): Pace & { readonly reader: Reader } {
  const paused = useSignal(false);
  const away = useSignal(false);
  const inside = useSignal(false);
  const held = useComputed(() => paused.value || away.value || inside.value);
  const reader = useMemo(() => new Reader(session.feed, sieve, held, length), [session, sieve, held, length]);
  useEffect(() => reader.follow(), [reader]);
  return { paused, away, inside, held, reader };
}
