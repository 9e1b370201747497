import { useComputed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import { words } from '../text/words';
import { Legend } from '../ui/Legend';
import { usePaced } from '../ui/pace';
import { lotHistoryPath, lotPath, lotTablePath } from '../ui/router';
import { useZones } from '../ui/zones';
import { chooseLot, chosenStatuses, shownStatuses } from './choice';
import type { Cloud } from './cloud';
import { listed, watchListed } from './listed';
import { SpotList } from './SpotList';

/** One lot beside the map: its counts, the ways to its other views, and its spots by zone, those of the statuses that are shown. */
export function LotPanel({ session, cloud, lot }: { session: Session; cloud: Cloud; lot: Lot }) {
  const { parking } = session;
  const heading = useRef<HTMLHeadingElement>(null);
  const statuses = shownStatuses.value;
  const items = usePaced(() => watchListed(parking, lot.id, statuses), () => listed(parking, lot.id, statuses), [parking, lot.id, statuses, parking.zonesOfLot(lot.id).value]);
  useZones(session, [lot.id]);
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true }); // what was pressed is gone
  }, []);
  const unplaced = useComputed(() => cloud.lots.value.find(({ lotId }) => lotId === lot.id)?.unplaced ?? 0).value;
  const status = chosenStatuses.value.join(',');
  return (
    <>
      <button type="button" class="back" onClick={() => chooseLot(undefined)}>{words.common.allLots}</button>
      <h2 ref={heading} tabIndex={-1}>{lot.name}</h2>
      <Counts session={session} lotId={lot.id} />
      <p class="map-ways">
        <a href={lotPath(lot.id)}>{words.shell.plan}</a> <a href={lotTablePath(lot.id, { status })}>{words.shell.table}</a> <a href={lotHistoryPath(lot.id)}>{words.shell.history}</a>
      </p>
      {unplaced > 0 && <p class="none">{words.map.unplaced(unplaced)}</p>}
      {items.length > 0 && <SpotList session={session} lotId={lot.id} items={items} />}
    </>
  );
}

/** Its own component, as it changes with every event. */
const Counts = ({ session, lotId }: { session: Session; lotId: string }) => <Legend counts={session.parking.countsOfLot(lotId).value} />;
