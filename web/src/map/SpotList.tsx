import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { Cell } from '../live/shown';
import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import { Mark } from '../ui/Mark';
import { throughRows, useStop } from '../ui/stop';
import { useWindow } from '../ui/window';
import { chooseSpot, chosenSpot, dropSpot } from './choice';
import type { Item } from './listed';

/** Spots by zone. Rows are equally high, and only those in sight are elements. The tabulator key stops at one spot, arrow keys go from spot to spot. */
export function SpotList({ session, lotId, items }: { session: Session; lotId: string; items: readonly Item[] }) {
  const list = useRef<HTMLUListElement>(null);
  const { from, to } = useWindow(list, items.length);
  const active = useSignal<Cell | undefined>(undefined);
  const cells = useMemo(() => items.map((item) => (item.kind === 'spot' ? item.cell : undefined)), [items]);
  const rows = throughRows(items.length, Math.max(1, to - from - 16));
  const { stop, listeners } = useStop({
    list, items: cells, active, otherwise: 1, target: 'button',
    step: (key, at) => {
      const next = rows(key, at);
      if (next === undefined || cells[next]) return next;
      return next < at && next > 0 ? next - 1 : next + 1; // a zone's name is no stop
    },
  });
  const shown = Array.from({ length: to - from }, (_, i) => from + i);
  if (stop >= 0 && stop < from) shown.unshift(stop);
  if (stop >= to) shown.push(stop);
  return (
    <ul class="map-spots" aria-label={words.plan.spots} ref={list} style={{ height: `calc(var(--row) * ${items.length})` }} {...listeners}>
      {shown.map((i) => {
        const item = items[i]!;
        const style = `transform: translateY(calc(var(--row) * ${i}))`;
        return item.kind === 'spot' ? (
          <SpotRow key={item.cell.peek().spotId} cell={item.cell} index={i} stop={i === stop} style={style} />
        ) : (
          <li key={`zone ${item.zone.id}`} style={style}>
            <h3>{item.zone.name || words.plan.withoutZone} <ZoneFree session={session} lotId={lotId} zoneId={item.zone.id} /></h3>
          </li>
        );
      })}
    </ul>
  );
}

function ZoneFree({ session, lotId, zoneId }: { session: Session; lotId: string; zoneId: string }) {
  const { free, total } = session.parking.countsOfZone(lotId, zoneId).value;
  return <small><b>{number(free)}</b> {words.common.ofFree(total)}</small>;
}

interface SpotRowProps {
  readonly cell: Cell;
  readonly index: number;
  readonly stop: boolean;
  readonly style: string;
}

/** It draws itself anew when its own spot changes. */
function SpotRow({ cell, index, stop, style }: SpotRowProps) {
  const { status, name, spotId } = cell.value;
  const chosen = chosenSpot.value === spotId;
  return (
    <li style={style} data-index={index}>
      <button type="button" tabIndex={stop ? 0 : -1} aria-pressed={chosen} onClick={() => (chosen ? dropSpot() : chooseSpot(spotId))} data-spot-id={spotId} data-status={status}>
        <Mark status={status} /> <span>{name ?? spotId}</span> <small>{words.common.status[status]}</small>
      </button>
    </li>
  );
}
