import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Cell } from '../live/shown';
import type { Session } from '../live/session';
import { shortTime } from '../text/format';
import { words } from '../text/words';
import { Actions } from './Actions';
import { clock } from './clock';
import { Mark } from './Mark';
import { spotPath } from './router';
import { say } from './said';

/** What is known of the spot that was picked, with its whole name: bays have room for a short one only. */
export function SpotDetail({ session, cell, close }: { session: Session; cell: Cell; close: () => void }) {
  const spot = cell.value;
  const changedAt = Date.parse(spot.changedAt);
  const zone = session.parking.zonesOfLot(spot.lotId).value.find(({ id }) => id === spot.zoneId);
  const name = spot.name ?? spot.spotId;
  const extras = [
    zone && !name.includes(zone.name) && zone.name,
    spot.category !== undefined && spot.category !== 'standard' && words.common.categoryName(spot.category),
    name !== spot.spotId && spot.spotId,
  ].filter(Boolean);

  // Before the paint: whoever sees it can close it.
  useLayoutEffect(() => {
    const escape = (event: KeyboardEvent) => event.key === 'Escape' && close();
    document.addEventListener('keydown', escape);
    return () => document.removeEventListener('keydown', escape);
  }, [close]);

  const told = words.spot.pageTitle(name, words.common.status[spot.status]);
  // It opens elsewhere than where the focus is, which stays: whoever listens hears that it is there.
  useEffect(() => say([told, ...extras].join(', ')), [spot.spotId]);
  const box = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const { current } = box;
    return () => {
      if (current?.contains(document.activeElement)) focusOn(spot.spotId);
    };
  }, [spot.spotId]);

  return (
    <aside class="detail" aria-label={`${words.spot.title} ${name}`} ref={box}>
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

/** The focus that was in what is closed goes back to the spot, or to the head of the view. */
function focusOn(spotId: string): void {
  const spot = document.querySelector<HTMLElement>(`main button[data-spot-id="${CSS.escape(spotId)}"]`);
  (spot ?? document.querySelector<HTMLElement>('main h1'))?.focus({ preventScroll: true });
}
