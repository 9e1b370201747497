import type { SpotState } from '../live/shown';
import type { Session } from '../live/session';
import { lazy } from '../shell/lazy';
import { kiosk } from '../shell/settings';
import { useAccount } from './who';

export interface ActionsProps {
  readonly session: Session;
  readonly spot: SpotState;
}

/** Most who look may change nothing: what it takes to do so is fetched for those who may. */
const SpotActions = lazy<ActionsProps>(() => import('../manage/SpotActions'), () => null);

/** What an operator may do to the spot; nothing for everybody else, and on a wall. */
export function Actions({ session, spot }: ActionsProps) {
  if (!useAccount().may('operate', spot.lotId) || kiosk.value) return null;
  return <SpotActions session={session} spot={spot} />;
}
