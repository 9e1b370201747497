import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import { number } from '../text/format';
import { words } from '../text/words';
import { ease } from '../ui/LotCard';
import { Proportion } from '../ui/Proportion';
import { lotPath } from '../ui/router';
import { chooseLot } from './choice';
import type { Cloud } from './cloud';

/** All lots: those on the map lead there, the others to their plan. */
export function LotRows({ session, cloud }: { session: Session; cloud: Cloud }) {
  const located = new Set(cloud.lots.value.flatMap(({ lotId, box }) => (box ? [lotId] : [])));
  const lots = session.parking.lots.value;
  const others = lots.filter(({ id }) => !located.has(id));
  return (
    <>
      <h2>{words.common.lots}</h2>
      <ul class="map-lots">
        {lots.filter(({ id }) => located.has(id)).map((lot) => (
          <li key={lot.id}>
            <button type="button" onClick={() => chooseLot(lot.id)} data-testid="map-lot" data-lot-id={lot.id}><LotLine session={session} lot={lot} /></button>
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <>
          <h2>{words.map.nowhere}</h2>
          <p class="none">{words.map.nowhereDetail}</p>
          <ul class="map-lots">
            {others.map((lot) => <li key={lot.id}><a href={lotPath(lot.id)}><LotLine session={session} lot={lot} /></a></li>)}
          </ul>
        </>
      )}
    </>
  );
}

function LotLine({ session, lot }: { session: Session; lot: Lot }) {
  const counts = session.parking.countsOfLot(lot.id).value;
  return (
    <span class="map-lot" data-ease={ease(counts)}>
      <span>{lot.name}</span>
      <span class="map-free"><b>{number(counts.free)}</b> {words.common.freeOf(counts.total)}</span>
      <Proportion counts={counts} />
    </span>
  );
}
