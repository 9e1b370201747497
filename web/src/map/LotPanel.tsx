import { useComputed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Cell } from '../live/parking';
import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import { arrange } from '../plan/arrange';
import { number } from '../text/format';
import { words } from '../text/words';
import { Legend } from '../ui/Legend';
import { Mark } from '../ui/Mark';
import { lotHistoryPath, lotPath, lotTablePath } from '../ui/router';
import { useZones } from '../ui/zones';
import { chooseLot, chooseSpot, chosenSpot, shownStatuses } from './choice';
import type { Cloud } from './cloud';

const most = 400; // spots that are listed; all of them are in the table

/** One lot beside the map: its counts, the ways to its other views, and its spots by zone. */
export function LotPanel({ session, cloud, lot }: { session: Session; cloud: Cloud; lot: Lot }) {
  const { parking } = session;
  const heading = useRef<HTMLHeadingElement>(null);
  const zones = useComputed(() => arrange(parking, lot.id));
  useZones(session, [lot.id]);
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true }); // what was pressed is gone
  }, []);
  const unplaced = cloud.lots.value.find(({ lotId }) => lotId === lot.id)?.unplaced ?? 0;
  const total = zones.value.reduce((sum, { bays }) => sum + bays.length, 0);
  let room = most;
  return (
    <>
      <button type="button" class="back" onClick={() => chooseLot(undefined)}>{words.common.allLots}</button>
      <h2 ref={heading} tabIndex={-1}>{lot.name}</h2>
      <Legend counts={parking.countsOfLot(lot.id).value} />
      <p class="map-ways">
        <a href={lotPath(lot.id)}>{words.shell.plan}</a> <a href={lotTablePath(lot.id)}>{words.shell.table}</a> <a href={lotHistoryPath(lot.id)}>{words.shell.history}</a>
      </p>
      {unplaced > 0 && <p class="none">{words.map.unplaced(unplaced)}</p>}
      {zones.value.map((zone) => {
        const bays = zone.bays.slice(0, room);
        room -= bays.length;
        return bays.length > 0 && (
          <section key={zone.id}>
            <h3>{zone.name || words.plan.withoutZone} <ZoneFree session={session} lotId={lot.id} zoneId={zone.id} /></h3>
            <ul class="map-spots">{bays.map(({ cell }) => <SpotRow key={cell.peek().spotId} cell={cell} />)}</ul>
          </section>
        );
      })}
      {total > most && <p class="none">{words.map.more(total - most)} <a href={lotTablePath(lot.id)}>{words.shell.table}</a></p>}
    </>
  );
}

function ZoneFree({ session, lotId, zoneId }: { session: Session; lotId: string; zoneId: string }) {
  const { free, total } = session.parking.countsOfZone(lotId, zoneId).value;
  return <small><b>{number(free)}</b> {words.common.ofFree(total)}</small>;
}

/** A spot that has a status that is shown. */
function SpotRow({ cell }: { cell: Cell }) {
  const { status, name, spotId } = cell.value;
  if (!shownStatuses.value.has(status)) return null;
  return (
    <li>
      <button type="button" aria-pressed={chosenSpot.value === spotId} onClick={() => chooseSpot(spotId)} data-spot-id={spotId} data-status={status}>
        <Mark status={status} /> <span>{name ?? spotId}</span> <small>{words.common.status[status]}</small>
      </button>
    </li>
  );
}
