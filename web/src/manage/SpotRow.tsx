import type { Cell } from '../live/shown';
import type { Zone } from '../live/wire';
import { words } from '../text/words';
import { Mark } from '../ui/Mark';
import { setQuery, spotPath } from '../ui/router';
import { nameOf } from './choose';

interface SpotRowProps {
  readonly cell: Cell;
  readonly zones: readonly Zone[];
  readonly picked: boolean;
  readonly pick: (is: boolean) => void;
}

/** One spot in the list. It is drawn anew when its own spot changes. */
export function SpotRow({ cell, zones, picked, pick }: SpotRowProps) {
  const spot = cell.value;
  const name = nameOf(spot);
  const zone = zones.find(({ id }) => id === spot.zoneId)?.name ?? spot.zoneId;
  const category = words.common.categoryName(spot.category ?? 'standard');
  return (
    <tr data-testid="manage-spot" data-spot-id={spot.spotId} data-status={spot.status} data-proposed={spot.proposed}>
      <td><label class="hit"><input type="checkbox" aria-label={words.manage.pick(name)} checked={picked} onChange={(event) => pick(event.currentTarget.checked)} /></label></td>
      <th scope="row">
        <a href={spotPath(spot.spotId)}>{name}</a>
        {name !== spot.spotId && <code>{spot.spotId}</code>}
        <small class="narrow">{[zone, category].filter((each) => each !== undefined).join(' · ')}</small>
      </th>
      <td><Mark status={spot.status} /> {words.common.status[spot.status]}</td>
      <td>{zone ?? <span class="quiet">{words.manage.noZone}</span>}</td>
      <td>{category}</td>
      <td><button type="button" aria-label={words.manage.editOf(name)} onClick={() => setQuery({ spot: spot.spotId })}>{words.common.edit}</button></td>
    </tr>
  );
}
