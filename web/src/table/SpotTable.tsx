import type { Signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Cell } from '../live/shown';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { throughRows, useStop } from '../ui/stop';
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
  const { stop, listeners } = useStop({ list: body, items: cells, active, otherwise: from, step: throughRows(cells.length, Math.max(1, to - from - 16)), target: 'a' });
  const shown = Array.from({ length: to - from }, (_, i) => from + i);
  if (stop >= 0 && (stop < from || stop >= to)) shown.push(stop);
  useZones(session, [...new Set(shown.map((i) => cells[i]!.peek().lotId))].sort(), Infinity); // lots come in sight and leave it all the time
  const shownColumns = columns.filter((column) => ofLots || column !== 'lot');
  return (
    <table role="table" class="spot-rows" data-lots={ofLots} aria-label={what} aria-rowcount={cells.length + 1} aria-describedby="table-keys">
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          {shownColumns.map((column) => <Head key={column} column={column} sort={sort} order={order} />)}
        </tr>
      </thead>
      <tbody role="rowgroup" ref={body} style={{ height: `calc(var(--row) * ${cells.length})` }} {...listeners}>
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
