// What can be done to a spot, what that will make of it, and the doing: shown at once, taken back where it is refused.
import { batch } from '@preact/signals';
import type { Action } from '../live/api';
import { problemOf, type Problem } from '../live/http';
import type { Proposal, SpotChange } from '../live/proposals';
import type { Session } from '../live/session';
import type { Spot, Status } from '../live/wire';
import { ManageApi } from './api';
import type { Act, SpotDetails } from './wire';

/** What can be done to a spot of this status. */
const offered: Record<Status, readonly (Action | 'reserve')[]> = {
  free: ['occupy', 'reserve', 'close', 'fault'],
  reserved: ['occupy', 'reserve', 'end_reservation', 'close', 'fault'],
  occupied: ['release', 'close', 'fault'],
  unknown: ['occupy', 'release', 'reserve', 'close', 'fault'],
  out_of_service: ['repair', 'close'],
  closed: ['reopen'],
};

/** The same with what is known behind the status: a spot that is occupied or closed may have a reservation, a closed one may be out of service. */
export function actionsOf(status: Status, details?: SpotDetails): (Action | 'reserve')[] {
  const actions = [...offered[status]];
  if (details?.reservation && !actions.includes('end_reservation')) actions.push('end_reservation');
  if (details?.reservation && status === 'unknown') return actions.filter((action) => action !== 'reserve');
  if (status === 'closed' && details?.faulted) actions.push('repair');
  return actions;
}

/** What a spot amounts to, as the platform reckons it: of several that hold, the first of closed, out of service, unknown, occupied, reserved, free. */
export function statusOf({ closed, faulted, occupancy, reservation }: Pick<SpotDetails, 'closed' | 'faulted' | 'occupancy' | 'reservation'>): Status {
  if (closed) return 'closed';
  if (faulted) return 'out_of_service';
  if (occupancy !== 'free') return occupancy;
  return reservation ? 'reserved' : 'free';
}

/** The status that an act leads to; undefined where that cannot be told without more than the status. */
export function outcome(act: Act, status: Status, details?: SpotDetails): Status | undefined {
  if (details) return statusOf(after(act, details));
  switch (act.action) {
    case 'occupy': return 'occupied';
    case 'release': return status === 'occupied' ? 'free' : undefined;
    case 'close': return 'closed';
    case 'fault': return status === 'closed' ? 'closed' : 'out_of_service';
    case 'reserve': return status === 'free' ? 'reserved' : undefined;
    case 'end_reservation': return status === 'reserved' ? 'free' : status;
    case 'reopen': case 'repair': return undefined;
  }
}

function after(act: Act, details: SpotDetails): SpotDetails {
  const { reservation: _, ...rest } = details;
  switch (act.action) {
    case 'occupy': return { ...details, occupancy: 'occupied' };
    case 'release': return { ...details, occupancy: 'free' };
    case 'close': return { ...details, closed: true };
    case 'reopen': return { ...details, closed: false };
    case 'fault': return { ...details, faulted: true };
    case 'repair': return { ...details, faulted: false };
    case 'reserve': return { ...details, reservation: { reservedAt: '' } };
    case 'end_reservation': return rest;
  }
}

/** Does something to a spot. Returns what stood in the way, if anything did. */
export function perform(session: Session, spot: Spot, act: Act, details?: SpotDetails): Promise<Problem | undefined> {
  const status = outcome(act, spot.status, details);
  const proposal = session.parking.propose(spot.spotId, status === undefined ? {} : { status });
  return finish(proposal, new ManageApi(session.api).act(spot.spotId, act));
}

/** Changes what describes a spot, in the same way. */
export function describe(session: Session, spotId: string, change: Exclude<SpotChange, 'removed'>, patch: Readonly<Record<string, unknown>>): Promise<Problem | undefined> {
  return finish(session.parking.propose(spotId, change), new ManageApi(session.api).editSpot(spotId, patch));
}

export function removeSpot(session: Session, spotId: string): Promise<Problem | undefined> {
  return finish(session.parking.propose(spotId, 'removed'), new ManageApi(session.api).removeSpot(spotId).then(() => undefined));
}

export interface NewSpot {
  readonly spotId: string;
  readonly zoneId?: string;
  readonly category: string;
  readonly status: Status;
}

/** Has spots added, all of them or none. */
export async function addSpots(session: Session, lotId: string, spots: readonly NewSpot[]): Promise<Problem | undefined> {
  const proposals = batch(() => spots.map(({ spotId, ...spot }) => session.parking.propose(spotId, { ...spot, lotId })));
  try {
    const added = await new ManageApi(session.api).addSpots(lotId, spots.map((spot) => ({ ...spot })));
    batch(() => added.forEach((spot, i) => proposals[i]?.settle(spot)));
    return undefined;
  } catch (error) {
    batch(() => proposals.forEach((proposal) => proposal.revert()));
    return problemOf(error);
  }
}

/** Ends a proposal by what becomes of the request. */
export async function finish<T>(proposal: Proposal<T>, asked: Promise<T | undefined>): Promise<Problem | undefined> {
  try {
    proposal.settle(await asked);
    return undefined;
  } catch (error) {
    proposal.revert();
    return problemOf(error);
  }
}
