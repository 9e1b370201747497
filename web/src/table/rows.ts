// Finds and orders spots. All that does not change with their statuses is prepared once, as numbers where it orders them, so that tens of thousands are
// found in some milliseconds.
import { byName, type Named } from '../live/order';
import type { Parking } from '../live/parking';
import type { Cell } from '../live/shown';
import { statuses, type Spot, type Status } from '../live/wire';
import { folded, hasTerms, orderKey, termsOf } from '../text/search';
import { categories, withoutZone, type Column, type View } from './view';

export interface Found {
  /** The spots that match, in order. */
  readonly cells: readonly Cell[];
  /** How many of each status match but for their status: what the choice of statuses chooses from. */
  readonly byStatus: Readonly<Record<Status, number>>;
  /** How many there are, matching or not. */
  readonly total: number;
}

/** A spot with what it is found and ordered by. */
interface Entry {
  readonly named: Named;
  readonly lot: string;
  readonly zone: string;
  /** Made when somebody looks for words. */
  text: string | undefined;
  lotRank: number;
  zoneRank: number;
  /** When it changed, as text and as the number that this says. */
  changedAt: string;
  changed: number;
}

/** All spots of a lot, or of all lots, by name, as of what they were made of. */
interface Prepared {
  readonly of: readonly unknown[];
  readonly entries: readonly Entry[];
}

export class Rows {
  #prepared: Prepared = { of: [], entries: [] };

  constructor(private readonly parking: Parking) {}

  find(view: View): Found {
    const byStatus: Record<Status, number> = { free: 0, reserved: 0, occupied: 0, unknown: 0, out_of_service: 0, closed: 0 };
    const wanted = new Set(view.statuses);
    const zone = view.zone === withoutZone ? '' : view.zone;
    const terms = termsOf(view.text);
    const found: Entry[] = [];
    const entries = this.#all(view.lot);
    for (const entry of entries) {
      const spot = entry.named.cell.peek();
      if (zone !== undefined && (spot.zoneId ?? '') !== zone) continue;
      if (view.category !== undefined && (spot.category ?? 'standard') !== view.category) continue;
      if (terms.length > 0 && !hasTerms((entry.text ??= textOf(entry, spot)), terms)) continue;
      byStatus[spot.status]++;
      if (wanted.size === 0 || wanted.has(spot.status)) found.push(entry);
    }
    return { cells: ordered(found, view.sort), byStatus, total: entries.length };
  }

  /** What is the same as the last time is taken from there. */
  #all(scope: string | undefined): readonly Entry[] {
    const { parking } = this;
    const lots = parking.lots.peek().filter(({ id }) => scope === undefined || id === scope);
    const of = [parking.lots.peek(), ...lots.flatMap(({ id }) => [parking.spotsByName(id), parking.zonesOfLot(id).peek()])];
    const before = this.#prepared;
    if (of.length === before.of.length && of.every((each, i) => each === before.of[i])) return before.entries;
    const known = new Map(before.entries.map((entry) => [entry.named, entry]));
    const entries = lots.flatMap((lot, lotRank) => {
      const zones = new Map(parking.zonesOfLot(lot.id).peek().map(({ id, name }) => [id, name]));
      return parking.spotsByName(lot.id).map((named): Entry => {
        const { zoneId } = named.cell.peek();
        const zone = zoneId === undefined ? '' : (zones.get(zoneId) ?? zoneId);
        const same = known.get(named);
        const entry = same?.lot === lot.name && same.zone === zone ? same : { named, lot: lot.name, zone, text: undefined, lotRank, zoneRank: 0, changedAt: '', changed: 0 };
        entry.lotRank = lotRank;
        return entry;
      });
    });
    if (lots.length > 1) entries.sort((a, b) => byName(a.named, b.named));
    rankZones(entries);
    this.#prepared = { of, entries };
    return entries;
  }
}

const textOf = ({ named: { name }, lot, zone }: Entry, { spotId, lotId, zoneId }: Spot): string =>
  folded(`${name} ${spotId} ${lot} ${lotId} ${zone} ${zoneId ?? ''}`);

function rankZones(entries: readonly Entry[]): void {
  const zones = [...new Set(entries.map(({ zone }) => zone))].map((name) => ({ name, key: orderKey(name) }));
  zones.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const ranks = new Map(zones.map(({ name }, i) => [name, i]));
  for (const entry of entries) entry.zoneRank = ranks.get(entry.zone)!;
}

/** Those that are alike stay by name. */
function ordered(found: readonly Entry[], { by, falling }: View['sort']): Cell[] {
  const cells = found.map(({ named }) => named.cell);
  if (by === 'name') return falling ? cells.reverse() : cells;
  const way = falling ? -1 : 1;
  const values = Float64Array.from(found, (entry) => way * valueOf(by, entry, entry.named.cell.peek()));
  const order = Uint32Array.from(found.keys()).sort((a, b) => values[a]! - values[b]! || a - b);
  return Array.from(order, (i) => cells[i]!);
}

function valueOf(column: Exclude<Column, 'name'>, entry: Entry, spot: Spot): number {
  switch (column) {
    case 'lot': return entry.lotRank;
    case 'zone': return entry.zoneRank;
    case 'category': return categoryRanks.indexOf(spot.category ?? 'standard');
    case 'status': return statuses.indexOf(spot.status);
    case 'since': return changedOf(entry, spot);
  }
}

/** Read once for each change: tens of thousands of moments take long to read. */
function changedOf(entry: Entry, { changedAt }: Spot): number {
  if (entry.changedAt !== changedAt) {
    entry.changedAt = changedAt;
    entry.changed = Date.parse(changedAt) || 0;
  }
  return entry.changed;
}

const categoryRanks: readonly string[] = [...categories].sort(); // those that this page does not know come first
