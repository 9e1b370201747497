// Finds and orders spots. Names are prepared once and compared as plain numbers afterwards, so that tens of thousands are ordered in some milliseconds.
import type { Cell, Parking } from '../live/parking';
import { statuses, type Spot, type Status } from '../live/wire';
import { folded, hasTerms, orderKey, termsOf } from '../text/search';
import type { Column, View } from './view';

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
  readonly cell: Cell;
  readonly spotId: string;
  readonly name: string | undefined;
  readonly lot: string;
  readonly zone: string;
  readonly text: string;
  readonly key: string;
  readonly zoneKey: string;
  lotRank: number;
  /** Its place among all by name. */
  rank: number;
}

export class Rows {
  #entries: ReadonlyMap<Cell, Entry> = new Map();
  #scope: string | undefined;

  constructor(private readonly parking: Parking) {}

  find(view: View): Found {
    const byStatus: Record<Status, number> = { free: 0, reserved: 0, occupied: 0, unknown: 0, out_of_service: 0, closed: 0 };
    const wanted = new Set(view.statuses);
    const terms = termsOf(view.text);
    const { by, falling } = view.sort;
    const found: { readonly entry: Entry; readonly value: string | number }[] = [];
    const entries = this.#prepared(view.lot);
    for (const entry of entries.values()) {
      const spot = entry.cell.peek();
      if (view.zone !== undefined && spot.zoneId !== view.zone) continue;
      if (view.category !== undefined && (spot.category ?? 'standard') !== view.category) continue;
      if (terms.length > 0 && !hasTerms(entry.text, terms)) continue;
      byStatus[spot.status]++;
      if (wanted.size === 0 || wanted.has(spot.status)) found.push({ entry, value: valueOf(by, entry, spot) });
    }
    const way = falling ? -1 : 1;
    found.sort((a, b) => (a.value < b.value ? -way : a.value > b.value ? way : a.entry.rank - b.entry.rank));
    return { cells: found.map(({ entry }) => entry.cell), byStatus, total: entries.size };
  }

  /** All spots of a lot, or of all lots. What is the same as the last time is taken from there. */
  #prepared(scope: string | undefined): ReadonlyMap<Cell, Entry> {
    const before = this.#scope === scope ? this.#entries : new Map<Cell, Entry>();
    const now = new Map<Cell, Entry>();
    let isNew = false;
    this.parking.lots.peek().forEach((lot, lotRank) => {
      if (scope !== undefined && lot.id !== scope) return;
      const zones = new Map(this.parking.zonesOfLot(lot.id).peek().map((zone) => [zone.id, zone.name]));
      for (const cell of this.parking.spotsOfLot(lot.id)) {
        const spot = cell.peek();
        const zone = spot.zoneId === undefined ? '' : (zones.get(spot.zoneId) ?? spot.zoneId);
        let entry = before.get(cell);
        if (!entry || entry.name !== spot.name || entry.lot !== lot.name || entry.zone !== zone) {
          entry = prepare(cell, spot, lot.name, zone);
          isNew = true;
        }
        entry.lotRank = lotRank;
        now.set(cell, entry);
      }
    });
    if (isNew) [...now.values()].sort(byName).forEach((entry, i) => (entry.rank = i));
    this.#scope = scope;
    this.#entries = now;
    return now;
  }
}

const prepare = (cell: Cell, { spotId, name, lotId, zoneId }: Spot, lot: string, zone: string): Entry => ({
  cell, spotId, name, lot, zone,
  text: folded(`${name ?? ''} ${spotId} ${lot} ${lotId} ${zone} ${zoneId ?? ''}`),
  key: orderKey(name ?? spotId),
  zoneKey: orderKey(zone),
  lotRank: 0,
  rank: 0,
});

const byName = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.spotId < b.spotId ? -1 : 1);

function valueOf(column: Column, entry: Entry, spot: Spot): string | number {
  switch (column) {
    case 'name': return entry.rank;
    case 'lot': return entry.lotRank;
    case 'zone': return entry.zoneKey;
    case 'category': return spot.category ?? 'standard';
    case 'status': return statuses.indexOf(spot.status);
    case 'since': return Date.parse(spot.changedAt) || 0;
  }
}
