// What a plan has: floors, the lowest first, and on each the zones, drawn as they lie or, where nobody said how, in a tidy grid.
import type { Parking } from '../live/parking';
import type { Location } from '../live/wire';
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
const most = 1_500; // bays, more than which are wider than that
const widest = 160; // and a zone at all

/** The floors of a lot, as they lie, made in steps: a lot of 20,000 spots takes a good part of a second. Reads what they depend on, but no statuses. */
export function* floorsOf(parking: Parking, lotId: string): Generator<void, Floor[]> {
  const levels = new Map(parking.zonesOfLot(lotId).peek().map(({ id, level }) => [id, level]));
  const byLevel = new Map<number | undefined, ZoneOfBays[]>();
  for (const zone of yield* arrange(parking, lotId)) {
    const level = levels.get(zone.id);
    const zones = byLevel.get(level);
    if (zones) zones.push(zone);
    else byLevel.set(level, [zone]);
  }
  const floors: Floor[] = [];
  for (const [level, zones] of byLevel) floors.push({ key: level === undefined ? '' : String(level), level, zones, parts: yield* partsOf(zones) });
  return floors;
}

/** The same floors, each zone in a tidy grid. */
export const asGrids = (floors: readonly Floor[]): Floor[] => floors.map((floor) => ({ ...floor, parts: inGrids(floor.zones) }));

/** Whether there is anything to draw as it lies. */
export const canDraw = (floors: readonly Floor[]): boolean => floors.some(({ parts }) => parts.some(({ layout }) => layout));

const inGrids = (zones: readonly ZoneOfBays[]): Part[] => [{ zones, layout: undefined }];

function* partsOf(zones: readonly ZoneOfBays[]): Generator<void, Part[]> {
  const split = zones.map(splitUp);
  const places = split.flatMap((each) => each.places);
  const whole = places.length > most ? undefined : layOut(places);
  yield;
  if (whole && whole.width <= whole.bay.width * together) return [{ zones: split.map(({ located }) => located), layout: whole }, ...rest(split)];
  const parts: Part[] = [];
  for (const each of split) {
    const layout = layOut(each.places);
    parts.push(...(layout && layout.width <= layout.bay.width * widest ? [{ zones: [each.located], layout }, ...rest([each])] : inGrids([each.zone])));
    yield;
  }
  return parts;
}

/** The spots of a zone that have a place, with their places, and those that have none. */
interface Split {
  readonly zone: ZoneOfBays;
  readonly located: ZoneOfBays;
  readonly places: readonly Location[];
  readonly others: ZoneOfBays;
}

function splitUp(zone: ZoneOfBays): Split {
  const [bays, places, others]: [BayOf[], Location[], BayOf[]] = [[], [], []];
  for (const bay of zone.bays) {
    const { location } = bay.cell.peek();
    if (!location) others.push(bay);
    else {
      bays.push(bay);
      places.push(location);
    }
  }
  return { zone, located: { ...zone, bays }, places, others: { ...zone, bays: others } };
}

/** The spots that have no place, though others of their zone have one. */
function rest(split: readonly Split[]): Part[] {
  const others = split.map((each) => each.others).filter(({ bays }) => bays.length > 0);
  return others.length > 0 ? inGrids(others) : [];
}
