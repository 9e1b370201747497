import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Problem } from '../live/http';
import type { SpotState } from '../live/shown';
import type { Session } from '../live/session';
import { shortTime } from '../text/format';
import { words } from '../text/words';
import type { ActionsProps } from '../ui/Actions';
import { clock } from '../ui/clock';
import { manageLotPath } from '../ui/router';
import { actionsOf, perform, statusOf } from './acting';
import { ManageApi } from './api';
import { ReserveForm } from './ReserveForm';
import { Trouble } from './Trouble';
import type { Act, SpotDetails } from './wire';
import './actions.css';

/** What an operator can do to a spot. It is shown as done at once, and taken back with the reason where the platform refuses it. */
export default function SpotActions({ session, spot }: ActionsProps) {
  const details = useDetails(session, spot);
  const doing = useSignal(false);
  const reserving = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  const done = useSignal('');
  const group = useRef<HTMLDivElement>(null);
  const refocus = useRef(false);

  // What was pressed may be gone: then the keyboard goes on beside it.
  useLayoutEffect(() => {
    if (!refocus.current) return;
    refocus.current = doing.peek();
    if (document.activeElement === document.body) group.current?.querySelector('button')?.focus();
  });

  const act = async (what: Act) => {
    if (doing.value) return;
    doing.value = refocus.current = true;
    reserving.value = false;
    problem.value = undefined;
    done.value = '';
    problem.value = await perform(session, spot, what, details);
    if (!problem.value) done.value = words.manage.done(spot.name ?? spot.spotId, words.manage.act(what.action));
    doing.value = false;
  };

  return (
    <div class="acting" role="group" aria-label={words.common.what} ref={group}>
      {details && <Facts spot={spot} details={details} />}
      <div class="actions">
        {actionsOf(spot.status, details).map((action) => (
          <button
            key={action} type="button" data-action={action} aria-disabled={doing.value}
            aria-expanded={action === 'reserve' ? reserving.value : undefined}
            onClick={() => (action === 'reserve' ? (reserving.value = !reserving.value) : void act({ action }))}
          >
            {action === 'reserve' && details?.reservation ? words.manage.changeReservation : words.manage.act(action)}
          </button>
        ))}
        <a class="button" href={manageLotPath(spot.lotId, { spot: spot.spotId })}>{words.manage.editSpot}</a>
      </div>
      {reserving.value && <ReserveForm current={details?.reservation} reserve={(what) => void act(what)} cancel={() => (reserving.value = false)} />}
      <Trouble problem={problem.value} dismiss={() => (problem.value = undefined)} />
      <p class="unseen" role="status">{done.value}</p>
    </div>
  );
}

/** What holds beside the status, which tells only the first of several. */
function Facts({ spot, details: { reservation, closed, faulted, occupancy, sensorId } }: { spot: SpotState; details: SpotDetails }) {
  const behind = [
    closed && faulted && words.common.status.out_of_service,
    (closed || faulted) && occupancy !== 'free' && words.common.status[occupancy],
  ].filter((each) => each !== false);
  return (
    <ul class="facts">
      {reservation && (
        <li data-testid="reservation">
          {words.manage.reservedFor(reservation.reference, reservation.until === undefined ? undefined : shortTime(Date.parse(reservation.until), clock.value))}
        </li>
      )}
      {behind.length > 0 && <li>{words.manage.behind(behind.join(', '))}</li>}
      {spot.status === 'unknown' && <li>{sensorId === undefined ? words.manage.notSeen : words.manage.silent(sensorId)}</li>}
    </ul>
  );
}

/** All that is known of the spot as it is now; undefined until it is here. */
function useDetails(session: Session, spot: SpotState): SpotDetails | undefined {
  const details = useSignal<SpotDetails | undefined>(undefined);
  const { spotId, version, proposed } = spot;
  useEffect(() => {
    let wanted = true;
    if (proposed || version === 0) return;
    new ManageApi(session.api).spot(spotId).then(({ item }) => wanted && (details.value = item), () => undefined);
    return () => {
      wanted = false;
    };
  }, [session, spotId, version, proposed]);
  const known = details.value;
  return known?.spotId === spotId && known.version >= version && statusOf(known) === spot.status && !proposed ? known : undefined;
}
