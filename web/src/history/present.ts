// How full it is now, reckoned as the history does: of the spots that are free, occupied or reserved, those that are occupied.
import type { Counts } from '../live/tally';

export interface Live {
  /** Null where nothing is offered. */
  readonly share: number | null;
  readonly occupied: number;
  readonly offered: number;
}

export function liveOf({ free, occupied, reserved }: Counts): Live {
  const offered = free + occupied + reserved;
  return { share: offered === 0 ? null : occupied / offered, occupied, offered };
}
