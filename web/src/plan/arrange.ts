import type { Parking } from '../live/parking';
import type { Cell } from '../live/shown';
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

/** The spots of a lot by zone, lowest level first, and in each by name: made in steps, as there may be 20,000. Reads what it depends on, but no statuses. */
export function* arrange(parking: Parking, lotId: string): Generator<void, ZoneOfBays[]> {
  const byZone = new Map<string, { readonly cell: Cell; readonly name: string }[]>();
  for (const named of parking.spotsByName(lotId)) {
    const { zoneId = '' } = named.cell.peek();
    const bays = byZone.get(zoneId);
    if (bays) bays.push(named);
    else byZone.set(zoneId, [named]);
  }
  yield;
  const known = new Map(parking.zonesOfLot(lotId).value.map((zone) => [zone.id, zone]));
  const level = (id: string) => known.get(id)?.level ?? (id === '' ? Infinity : 0);
  const name = (id: string) => known.get(id)?.name ?? id;
  const zones: ZoneOfBays[] = [];
  for (const [id, bays] of [...byZone].sort(([a], [b]) => level(a) - level(b) || inOrder(name(a), name(b)))) {
    const labels = shortened(bays.map((bay) => bay.name));
    zones.push({ id, name: name(id), bays: bays.map(({ cell }, i) => ({ cell, label: labels[i]! })) });
    yield;
  }
  return zones;
}

/** Reads what the arrangement depends on, for those who make it at a pace. */
export function watchArrangement(parking: Parking, lotId: string): void {
  parking.spotsOfLot(lotId);
  parking.zonesOfLot(lotId).value;
}
