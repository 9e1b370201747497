// What lots, zones and spots are called, for sentences about rules.
import type { Session } from '../live/session';

export interface Names {
  readonly lot: (id: string) => string;
  readonly zone: (lotId: string, id: string) => string;
}

/** The names that the page knows; ids stand for others. Views that use them follow them. */
export const namesOf = ({ parking }: Session): Names => ({
  lot: (id) => parking.lots.value.find((lot) => lot.id === id)?.name ?? id,
  zone: (lotId, id) => parking.zonesOfLot(lotId).value.find((zone) => zone.id === id)?.name ?? id,
});
