// Which spots of a lot are listed.
import { isStatus, type Spot } from '../live/wire';
import type { View } from '../table/view';

/** As the address has it; an empty one narrows nothing. */
export interface Choice {
  readonly search: string;
  /** An id, '-' for spots without a zone. */
  readonly zone: string;
  readonly status: string;
}

/** The same as the table has it, which finds them. */
export const viewOf = (lotId: string, { search, zone, status }: Choice): View => ({
  lot: lotId, zone: zone || undefined, category: undefined, statuses: isStatus(status) ? [status] : [], text: search, sort: { by: 'name', falling: false },
});

export const nameOf = (spot: Spot): string => spot.name ?? spot.spotId;
