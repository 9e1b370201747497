// What a plan has: floors, the lowest first, and on each the zones, drawn as they lie or, where nobody said how, in a tidy grid.
import type { Parking } from '../live/parking';
import { arrange, type BayOf, type ZoneOfBays } from './arrange';
import { layOut, type Layout } from './geometry';

/** Zones that are drawn together as they lie; without a layout, in grids. */
export interface Part {
  readonly zones: readonly ZoneOfBays[];
  readonly layout: Layout | undefined;
}

export interface Floor {
  /** As it stands in the address; empty for what has no level. */
  readonly key: string;
  readonly level: number | undefined;
  readonly zones: readonly ZoneOfBays[];
  readonly parts: readonly Part[];
}

/** The smallest and the largest width of a bay, in pixels: one can hit it, and it looks like one. */
export const bayWidth = { least: 27, most: 64 };
const together = 34; // bays beside each other, up to which a floor is drawn in one
const widest = 160; // and a zone at all

/** The floors of a lot. Reads what they depend on, but no statuses. drawn says whether places count. */
export function floorsOf(parking: Parking, lotId: string, drawn: boolean): Floor[] {
  const levels = new Map(parking.zonesOfLot(lotId).value.map(({ id, level }) => [id, level]));
  const byLevel = new Map<number | undefined, ZoneOfBays[]>();
  for (const zone of arrange(parking, lotId)) {
    const level = levels.get(zone.id);
    const zones = byLevel.get(level);
    if (zones) zones.push(zone);
    else byLevel.set(level, [zone]);
  }
  return [...byLevel].map(([level, zones]) => ({ key: level === undefined ? '' : String(level), level, zones, parts: drawn ? partsOf(zones) : inGrids(zones) }));
}

/** Whether there is anything to draw as it lies. */
export const canDraw = (floors: readonly Floor[]): boolean => floors.some(({ parts }) => parts.some(({ layout }) => layout));

const inGrids = (zones: readonly ZoneOfBays[]): Part[] => [{ zones, layout: undefined }];

function partsOf(zones: readonly ZoneOfBays[]): Part[] {
  const located = zones.map((zone) => only(zone, (bay) => placeOf(bay) !== undefined));
  const whole = layOut(located.flatMap(({ bays }) => bays.map((bay) => placeOf(bay)!)));
  if (whole && whole.width <= whole.bay.width * together) return [{ zones: located, layout: whole }, ...rest(zones)];
  return zones.flatMap((zone, i) => {
    const layout = layOut(located[i]!.bays.map((bay) => placeOf(bay)!));
    return layout && layout.width <= layout.bay.width * widest ? [{ zones: [located[i]!], layout }, ...rest([zone])] : inGrids([zone]);
  });
}

/** The spots that have no place, though others of their zone have one. */
function rest(zones: readonly ZoneOfBays[]): Part[] {
  const others = zones.map((zone) => only(zone, (bay) => placeOf(bay) === undefined)).filter(({ bays }) => bays.length > 0);
  return others.length > 0 ? inGrids(others) : [];
}

const placeOf = ({ cell }: BayOf) => cell.peek().location;
const only = (zone: ZoneOfBays, wanted: (bay: BayOf) => boolean): ZoneOfBays => ({ ...zone, bays: zone.bays.filter(wanted) });
