import { useSignal } from '@preact/signals';
import type { Action, Api } from '../live/api';
import type { SpotState } from '../live/parking';
import type { Status } from '../live/wire';
import { words } from '../text/words';
import { useAccount } from './who';

/** What can be done to a spot of this status. */
const offered: Record<Status, readonly Action[]> = {
  free: ['occupy', 'close', 'fault'],
  reserved: ['occupy', 'end_reservation', 'close', 'fault'],
  occupied: ['release', 'close', 'fault'],
  unknown: ['occupy', 'release', 'close', 'fault'],
  out_of_service: ['repair', 'close'],
  closed: ['reopen'],
};

/** What an operator may do to the spot; nothing for everybody else. What came of it is shown when its event comes. */
export function Actions({ api, spot }: { api: Api; spot: SpotState }) {
  const account = useAccount();
  const doing = useSignal<Action | undefined>(undefined);
  const problem = useSignal('');
  if (!account.may('operate', spot.lotId)) return null;
  const act = async (action: Action) => {
    doing.value = action;
    problem.value = await api.act(spot.spotId, action).then(() => '', (error: Error) => error.message);
    doing.value = undefined;
  };
  return (
    <div class="actions" role="group" aria-label={words.common.what}>
      {offered[spot.status].map((action) => (
        <button key={action} type="button" data-action={action} aria-disabled={doing.value !== undefined} onClick={() => doing.value === undefined && void act(action)}>
          {words.common.action[action]}
        </button>
      ))}
      {problem.value && <p role="alert">{problem.value}</p>}
    </div>
  );
}
