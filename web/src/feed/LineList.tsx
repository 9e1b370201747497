import { useSignal, type ReadonlySignal, type Signal } from '@preact/signals';
import { useId, useRef } from 'preact/hooks';
import type { FeedItem } from '../live/feed';
import { words } from '../text/words';
import { throughRows, useStop } from '../ui/stop';
import { useWindow } from '../ui/window';
import { Line } from './Line';

interface LineListProps {
  readonly lines: readonly FeedItem[];
  readonly names: ReadonlySignal<ReadonlyMap<string, string>>;
  /** Whether the focus is in a line. */
  readonly inside: Signal<boolean>;
  readonly exact?: boolean;
}

/** Changes, the newest first. Lines are equally high, and only those in sight are elements. The tabulator key stops at one line, arrow keys go from line to line. */
export function LineList({ lines, names, inside, exact = false }: LineListProps) {
  const id = useId();
  const list = useRef<HTMLOListElement>(null);
  const { from, to } = useWindow(list, lines.length);
  const active = useSignal<FeedItem | undefined>(undefined);
  const { stop, listeners } = useStop({ list, items: lines, active, otherwise: nextChange(lines, 0, 1) ?? 0, step: throughChanges(lines, Math.max(1, to - from - 16)), target: 'a' });
  const shown = Array.from({ length: to - from }, (_, i) => from + i);
  if (stop >= 0 && stop < from) shown.unshift(stop);
  if (stop >= to) shown.push(stop);
  return (
    <>
      <p id={id} class="unseen">{words.feed.keys}</p>
      <ol
        ref={list}
        aria-label={words.feed.list}
        aria-describedby={id}
        style={{ height: `calc(var(--row) * ${lines.length})` }}
        {...listeners}
        onFocusIn={(event) => {
          listeners.onFocusIn(event);
          inside.value = true;
        }}
        onFocusOut={(event) => {
          listeners.onFocusOut(event);
          inside.value = event.currentTarget.contains(event.relatedTarget as Node | null); // from line to line it stays inside
        }}
      >
        {shown.map((i) => (
          <Line key={lines[i]!.key} item={lines[i]!} names={names} exact={exact} index={i} stop={i === stop} />
        ))}
      </ol>
    </>
  );
}

/** From change to change: what says that some are missing leads nowhere. */
const throughChanges = (lines: readonly FeedItem[], page: number) => {
  const step = throughRows(lines.length, page);
  return (key: string, from: number): number | undefined => {
    const next = step(key, from);
    return next === undefined ? undefined : nextChange(lines, next, next < from ? -1 : 1);
  };
};

function nextChange(lines: readonly FeedItem[], from: number, way: 1 | -1): number | undefined {
  let i = from;
  while (lines[i]?.kind === 'gap') i += way;
  return lines[i] && i;
}
