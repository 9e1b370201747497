// Which spots of a lot are listed.
import type { Cell, Parking } from '../live/parking';
import { isStatus, type Spot } from '../live/wire';
import { inOrder } from '../text/labels';

export interface Choice {
  readonly search: string;
  /** An id, '-' for spots without a zone, '' for all. */
  readonly zone: string;
  readonly status: string;
}

export const withoutZone = '-';

/** The spots of a lot that match, in order. Only where the status matters it is read, so that the list stands still while spots change. */
export function chosenSpots(parking: Parking, lotId: string, { search, zone, status }: Choice): Cell[] {
  const wanted = search.trim().toLowerCase();
  const matching = [...parking.spotsOfLot(lotId)].filter((cell) => {
    const spot = isStatus(status) ? cell.value : cell.peek();
    return (!isStatus(status) || spot.status === status) && inZone(spot, zone) && [spot.spotId, spot.name ?? ''].some((text) => text.toLowerCase().includes(wanted));
  });
  return matching.sort((a, b) => inOrder(nameOf(a.peek()), nameOf(b.peek())) || inOrder(a.peek().spotId, b.peek().spotId));
}

export const nameOf = (spot: Spot): string => spot.name ?? spot.spotId;

const inZone = (spot: Spot, zone: string) => zone === '' || (zone === withoutZone ? spot.zoneId === undefined : spot.zoneId === zone);
