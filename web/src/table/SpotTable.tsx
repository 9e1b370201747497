import { useSignal, type Signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Cell } from '../live/parking';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { useWindow } from '../ui/window';
import { useZones } from '../ui/zones';
import { Row } from './Row';
import { columns, sortedBy, type Column, type Sort } from './view';

interface SpotTableProps {
  readonly session: Session;
  /** What it is a table of. */
  readonly what: string;
  readonly cells: readonly Cell[];
  /** Whether it is of several lots. */
  readonly ofLots: boolean;
  readonly sort: Sort;
  readonly order: (sort: Sort) => void;
  /** The row that was left last, and is come back to. */
  readonly active: Signal<Cell | undefined>;
}

/** Rows in sight are elements, all others are not. One row is in the order of the tabulator key; arrow keys go from row to row. */
export function SpotTable({ session, what, cells, ofLots, sort, order, active }: SpotTableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { from, to } = useWindow(body, cells.length);
  const at = active.value ? cells.indexOf(active.value) : -1;
  const stop = at >= 0 ? at : Math.min(from, cells.length - 1);
  const shown = Array.from({ length: to - from }, (_, i) => from + i);
  if (at >= 0 && (at < from || at >= to)) shown.push(at);
  useZones(session, [...new Set(shown.map((i) => cells[i]!.peek().lotId))]);
  const focus = useFocus(body, stop);

  const go = (event: KeyboardEvent) => {
    const page = Math.max(1, to - from - 16);
    const steps: Record<string, number> = { ArrowUp: stop - 1, ArrowDown: stop + 1, PageUp: stop - page, PageDown: stop + page, Home: 0, End: cells.length - 1 };
    const next = steps[event.key];
    if (next === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    focus.move();
    active.value = cells[Math.max(0, Math.min(cells.length - 1, next))];
  };
  const take = ({ target }: Event) => {
    const row = (target as Element).closest<HTMLElement>('tr');
    if (row) active.value = cells[Number(row.dataset.index)] ?? active.peek();
  };
  const enter = (event: FocusEvent) => {
    focus.enter();
    take(event);
  };
  const shownColumns = columns.filter((column) => ofLots || column !== 'lot');
  return (
    <table role="table" class="spot-rows" data-lots={ofLots} aria-label={what} aria-rowcount={cells.length + 1} aria-describedby="table-keys">
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          {shownColumns.map((column) => <Head key={column} column={column} sort={sort} order={order} />)}
        </tr>
      </thead>
      <tbody role="rowgroup" ref={body} style={{ height: `calc(var(--row) * ${cells.length})` }} onKeyDown={go} onClick={take} onFocusIn={enter} onFocusOut={focus.leave}>
        {shown.map((i) => <Row key={cells[i]!.peek().spotId} session={session} cell={cells[i]!} index={i} stop={i === stop} ofLots={ofLots} />)}
      </tbody>
    </table>
  );
}

function Head({ column, sort, order }: { column: Column; sort: Sort; order: (sort: Sort) => void }) {
  const direction = sort.by !== column ? 'none' : sort.falling ? 'descending' : 'ascending';
  return (
    <th role="columnheader" scope="col" class={`col-${column}`} aria-sort={direction}>
      <button type="button" data-column={column} onClick={() => order(sortedBy(sort, column))}>
        {words.table.columns[column]}
      </button>
    </th>
  );
}

/** Keeps the focus in the table: it moves with the arrow keys, and does not get lost when its row is not in the list any more. */
function useFocus(body: { readonly current: HTMLElement | null }, stop: number) {
  const inside = useSignal(false);
  const moving = useRef(false);
  useLayoutEffect(() => {
    const lost = inside.peek() && !body.current?.contains(document.activeElement);
    if (!moving.current && !lost) return;
    moving.current = false;
    body.current?.querySelector<HTMLElement>(`[data-index="${stop}"] a`)?.focus();
  });
  return {
    move: () => (moving.current = true),
    enter: () => (inside.value = true),
    leave: ({ target }: FocusEvent) => queueMicrotask(() => {
      // A row that is gone is not left by anybody.
      if ((target as Node).isConnected && !body.current?.contains(document.activeElement)) inside.value = false;
    }),
  };
}
