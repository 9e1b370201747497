import { useLayoutEffect } from 'preact/hooks';
import type { Cell } from '../live/parking';
import type { Session } from '../live/session';
import { shortTime } from '../text/format';
import { words } from '../text/words';
import { Actions } from './Actions';
import { clock } from './clock';
import { Mark } from './Mark';
import { spotPath } from './router';

/** What is known of the spot that was picked, with its whole name: bays have room for a short one only. */
export function SpotDetail({ session, cell, close }: { session: Session; cell: Cell; close: () => void }) {
  const spot = cell.value;
  const changedAt = Date.parse(spot.changedAt);
  const zone = session.parking.zonesOfLot(spot.lotId).value.find(({ id }) => id === spot.zoneId);
  const name = spot.name ?? spot.spotId;
  const extras = [
    zone && !name.includes(zone.name) && zone.name,
    words.common.category[spot.category ?? ''],
    name !== spot.spotId && spot.spotId,
  ].filter(Boolean);

  // Before the paint: whoever sees it can close it.
  useLayoutEffect(() => {
    const escape = (event: KeyboardEvent) => event.key === 'Escape' && close();
    document.addEventListener('keydown', escape);
    return () => document.removeEventListener('keydown', escape);
  }, [close]);

  return (
    <aside class="detail" aria-label={words.spot.title}>
      <Mark status={spot.status} />
      <p>
        <a href={spotPath(spot.spotId)}><b>{name}</b></a> {words.common.status[spot.status]}
        {changedAt > 0 && (
          <span>
            {` ${words.spot.since} `}
            <time dateTime={spot.changedAt}>{shortTime(changedAt, clock.value)}</time> ({words.common.ago(changedAt, clock.value)})
          </span>
        )}
        {extras.length > 0 && <span> · {extras.join(' · ')}</span>}
      </p>
      <button type="button" class="plain" onClick={close} aria-label={words.common.dismiss}>×</button>
      <Actions key={spot.spotId} session={session} spot={spot} />
    </aside>
  );
}
