import type { Cell, Parking } from '../live/parking';
import { inOrder, shortened } from '../text/labels';

export interface BayOf {
  readonly cell: Cell;
  readonly label: string;
}

export interface ZoneOfBays {
  readonly id: string; // empty for the spots of no zone
  readonly name: string;
  readonly bays: readonly BayOf[];
}

/** The spots of a lot by zone, lowest level first, and in each by name. Reads what it depends on, but no statuses. */
export function arrange(parking: Parking, lotId: string): ZoneOfBays[] {
  const byZone = new Map<string, { cell: Cell; name: string }[]>();
  for (const cell of parking.spotsOfLot(lotId)) {
    const { zoneId = '', name, spotId } = cell.peek();
    const bay = { cell, name: name ?? spotId };
    const bays = byZone.get(zoneId);
    if (bays) bays.push(bay);
    else byZone.set(zoneId, [bay]);
  }
  const known = new Map(parking.zonesOfLot(lotId).value.map((zone) => [zone.id, zone]));
  const level = (id: string) => known.get(id)?.level ?? (id === '' ? Infinity : 0);
  const name = (id: string) => known.get(id)?.name ?? id;
  return [...byZone]
    .sort(([a], [b]) => level(a) - level(b) || inOrder(name(a), name(b)))
    .map(([id, bays]) => {
      bays.sort((a, b) => inOrder(a.name, b.name));
      const labels = shortened(bays.map((bay) => bay.name));
      return { id, name: name(id), bays: bays.map(({ cell }, i) => ({ cell, label: labels[i]! })) };
    });
}
