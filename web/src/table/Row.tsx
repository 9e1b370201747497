import type { Cell } from '../live/shown';
import type { Session } from '../live/session';
import { fullTime, shortTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { Mark } from '../ui/Mark';
import { usePulse } from '../ui/pulse';
import { spotPath } from '../ui/router';
import { zoneName } from '../ui/zones';

interface RowProps {
  readonly session: Session;
  readonly cell: Cell;
  readonly index: number;
  /** Whether the tabulator key stops here. */
  readonly stop: boolean;
  readonly ofLots: boolean;
}

/** One spot. It draws itself anew when its own spot changes. */
export function Row({ session, cell, index, stop, ofLots }: RowProps) {
  const spot = cell.value;
  const { spotId, lotId } = spot;
  const lot = session.parking.lots.value.find(({ id }) => id === lotId)?.name ?? lotId;
  const zone = spot.zoneId === undefined ? '' : zoneName(session, lotId, spot.zoneId);
  const category = spot.category === undefined || spot.category === 'standard' ? '' : words.common.categoryName(spot.category);
  const changedAt = Date.parse(spot.changedAt);
  const name = spot.name ?? spotId;
  return (
    <tr
      role="row"
      aria-rowindex={index + 2}
      style={{ transform: `translateY(calc(var(--row) * ${index}))` }}
      data-testid="row"
      data-index={index}
      data-spot-id={spotId}
      data-status={spot.status}
      data-version={spot.version}
      data-proposed={spot.proposed}
      data-pulse={usePulse(spot.pulse)}
    >
      <td role="cell" class="col-status"><Mark status={spot.status} /><span>{words.common.status[spot.status]}</span></td>
      <th role="rowheader" scope="row" class="col-name">
        <a href={spotPath(spotId)} tabIndex={stop ? 0 : -1}>{name}</a>
        {name !== spotId && <small>{spotId}</small>}
        <span class="where">{[ofLots && lot, zone, category].filter(Boolean).join(' · ')}</span>
      </th>
      {ofLots && <td role="cell" class="col-lot">{lot}</td>}
      <td role="cell" class="col-zone">{zone}</td>
      <td role="cell" class="col-category">{category}</td>
      <td role="cell" class="col-since">
        {changedAt > 0 && <time dateTime={spot.changedAt} title={fullTime(changedAt)}><span>{shortTime(changedAt, clock.value)}</span> <i>{words.common.ago(changedAt, clock.value)}</i></time>}
      </td>
    </tr>
  );
}
