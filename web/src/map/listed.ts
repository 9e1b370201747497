// What the list beside the map has of a lot: the names of its zones, and under each its spots.
import type { Parking } from '../live/parking';
import type { Cell } from '../live/shown';
import { statuses, type Status } from '../live/wire';
import { arrange, watchArrangement, type ZoneOfBays } from '../plan/arrange';
import { atOnce } from '../ui/pace';

export type Item = { readonly kind: 'zone'; readonly zone: ZoneOfBays } | { readonly kind: 'spot'; readonly cell: Cell };

/** Zones of which no spot is shown are left out. */
export function listed(parking: Parking, lotId: string, shown: ReadonlySet<Status>): Item[] {
  return atOnce(arrange(parking, lotId)).flatMap((zone): Item[] => {
    const spots = zone.bays.filter(({ cell }) => shown.has(cell.peek().status)).map(({ cell }): Item => ({ kind: 'spot', cell }));
    return spots.length > 0 ? [{ kind: 'zone', zone }, ...spots] : [];
  });
}

/** Reads what that depends on: statuses only where not all are shown. */
export function watchListed(parking: Parking, lotId: string, shown: ReadonlySet<Status>): void {
  watchArrangement(parking, lotId);
  if (shown.size < statuses.length) parking.countsOfLot(lotId).value;
}
