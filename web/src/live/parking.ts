// The state of all lots and spots, in one place. Views read its signals; only load, merge and apply change it, and what somebody proposes.
import { batch, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { DraftList, Proposals, type Proposal, type SpotChange } from './proposals';
import { Tally, type Counts } from './tally';
import { defined, isStatus, type Location, type Lot, type ParkingEvent, type Spot, type Zone } from './wire';

/** A spot as it is shown. */
export interface SpotState extends Spot {
  /** How many changes of it were shown with motion. */
  readonly pulse: number;
  /** It was asked for and is not answered yet. */
  readonly proposed?: true;
}

export type Cell = ReadonlySignal<SpotState>;

/** What a batch of events did. */
export interface Outcome {
  /** The events that told something new, in order, each with the spot as it was known. */
  readonly news: { readonly event: ParkingEvent; readonly spot: Spot | undefined }[];
  /** The lots of which more must be fetched than events tell: names, categories, the lot itself. */
  readonly incomplete: Set<string>;
}

export class Parking {
  readonly #lots = new DraftList<Lot>((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  readonly #cells = new Map<string, Signal<SpotState>>();
  readonly #members = new Map<string, { readonly cells: Set<Cell>; readonly revision: Signal<number> }>();
  readonly #tallies = new Map<string, Tally>();
  readonly #zones = new Map<string, DraftList<Zone>>();
  readonly #proposals = new Proposals();
  /** The version at which a spot was removed, so that an older answer does not bring it back. */
  readonly #removed = new Map<string, number>();

  readonly #touchedTallies = new Set<Tally>();
  readonly #touchedLots = new Set<string>();

  /** The lots by name. */
  get lots(): ReadonlySignal<readonly Lot[]> {
    return this.#lots.shown;
  }

  /** The counts of all spots. */
  get total(): ReadonlySignal<Counts> {
    return this.#tally('all').counts;
  }

  countsOfLot(lotId: string): ReadonlySignal<Counts> {
    return this.#tally(`lot ${lotId}`).counts;
  }

  countsOfZone(lotId: string, zoneId: string): ReadonlySignal<Counts> {
    return this.#tally(`zone ${lotId} ${zoneId}`).counts;
  }

  /** The spots of a lot. Whoever reads them in a view hears when one comes, goes, or gets another name, zone or place. */
  spotsOfLot(lotId: string): Iterable<Cell> {
    const { cells, revision } = this.#membersOf(lotId);
    revision.value;
    return cells;
  }

  /** A spot by its id. Whoever reads it in a view hears when it comes or goes. */
  spot(spotId: string): Cell | undefined {
    this.total.value; // it changes with each that comes or goes
    return this.#cells.get(spotId);
  }

  zonesOfLot(lotId: string): ReadonlySignal<readonly Zone[]> {
    return this.#zonesOf(lotId).shown;
  }

  /** Whether a lot has a spot in a zone that is not among its zones. */
  lacksZone(lotId: string): boolean {
    const zones = new Set(this.#zonesOf(lotId).shown.value.map((zone) => zone.id));
    for (const cell of this.spotsOfLot(lotId)) {
      const { zoneId } = cell.peek();
      if (zoneId !== undefined && !zones.has(zoneId)) return true;
    }
    return false;
  }

  /** Replaces everything. Spots that are the same as before are left as they are. */
  load(lots: readonly Lot[], spots: readonly Spot[]): void {
    this.#batch(() => {
      this.#lots.clear();
      this.#lots.set(lots);
      this.#proposals.forget();
      this.#removed.clear();
      const present = new Set(spots.map((spot) => spot.spotId));
      for (const [spotId] of this.#cells) if (!present.has(spotId)) this.#drop(spotId);
      for (const spot of spots) this.#put(spot);
    });
  }

  /** Takes over what was fetched while events went on coming: whatever is newer stays. */
  merge(lots: readonly Lot[], spots: readonly Spot[]): void {
    this.#batch(() => {
      this.#lots.set(lots);
      for (const spot of spots) {
        const known = this.#known(spot.spotId);
        const newest = known ? known.version : (this.#removed.get(spot.spotId) ?? 0) + 1;
        if (spot.version >= newest) this.#put(spot);
      }
    });
  }

  setZones(lotId: string, zones: readonly Zone[]): void {
    this.#zonesOf(lotId).set(zones);
  }

  /** Shows what the platform is asked to do to a spot before it has answered. */
  propose(spotId: string, change: SpotChange): Proposal<Spot> {
    const key = this.#proposals.begin(spotId, this.#known(spotId), change);
    this.#batch(() => this.#show(spotId, this.#known(spotId)));
    return {
      settle: (answer) => this.#batch(() => {
        const known = this.#known(spotId);
        const learned = this.#proposals.settle(spotId, key, known, answer);
        this.#show(spotId, learned ?? known);
      }),
      revert: () => {
        const known = this.#known(spotId);
        if (this.#proposals.revert(spotId, key)) this.#batch(() => this.#show(spotId, known));
      },
    };
  }

  /** The same for a lot; undefined: it is to go. */
  proposeLot(lotId: string, to: Lot | undefined): Proposal<Lot> {
    return this.#lots.propose(lotId, to);
  }

  /** The same for a zone of a lot. */
  proposeZone(lotId: string, zoneId: string, to: Zone | undefined): Proposal<Zone> {
    return this.#zonesOf(lotId).propose(zoneId, to);
  }

  /** Applies events in the order in which they came. With motion, the spots show that they changed. */
  apply(events: readonly ParkingEvent[], motion = true): Outcome {
    const outcome: Outcome = { news: [], incomplete: new Set() };
    this.#batch(() => {
      for (const event of events) {
        const before = this.#known(event.spotId);
        if (!this.#applyOne(event, before, motion ? 1 : 0)) continue;
        outcome.news.push({ event, spot: before });
        const lotId = event.lotId ?? before?.lotId;
        if (lotId === undefined) continue;
        const unknownLot = event.version !== undefined && !this.#lots.shown.peek().some((lot) => lot.id === lotId);
        if (unknownLot || event.change === 'added' || event.change === 'edited') outcome.incomplete.add(lotId);
      }
    });
    return outcome;
  }

  /** Returns whether the event is news. */
  #applyOne(event: ParkingEvent, before: SpotState | undefined, pulse: number): boolean {
    const { spotId, version } = event;
    const changed = { pulse: (before?.pulse ?? 0) + pulse, changedAt: event.timestamp };
    if (version === undefined) {
      // Another program's event: no version tells whether it is newer than what is known, and none is to be trusted with more than a status.
      if (before && isStatus(event.status)) this.#put({ ...before, ...changed, status: event.status });
      return true;
    }
    if (version <= (before?.version ?? this.#removed.get(spotId) ?? 0)) return false;
    if (event.change === 'removed') {
      if (before) this.#drop(spotId);
      this.#removed.set(spotId, version);
    } else if (before) {
      const { zoneId: _, ...rest } = before;
      const status = isStatus(event.status) ? event.status : before.status;
      this.#put({ ...rest, ...defined({ zoneId: event.zoneId }), ...changed, status, version, lotId: event.lotId ?? before.lotId });
    } else if (event.change === 'added' && event.lotId !== undefined) {
      const status = isStatus(event.status) ? event.status : 'unknown';
      this.#put({ spotId, lotId: event.lotId, ...defined({ zoneId: event.zoneId }), ...changed, status, version });
    }
    return true;
  }

  /** A spot as the platform told it last. */
  #known(spotId: string): SpotState | undefined {
    const shown = this.#cells.get(spotId)?.peek();
    const proposed = this.#proposals.of(spotId);
    return proposed ? proposed.known && { pulse: shown?.pulse ?? 0, ...proposed.known } : shown;
  }

  /** Takes over what is known of a spot. */
  #put(spot: Spot & { readonly pulse?: number }): void {
    this.#show(spot.spotId, this.#proposals.learn(spot));
  }

  /** Draws a spot of which this is known, with what is proposed on top. */
  #show(spotId: string, known: (Spot & { readonly pulse?: number }) | undefined): void {
    const spot: (Spot & { readonly pulse?: number }) | undefined = this.#proposals.shown(spotId, known);
    if (!spot) return this.#hide(spotId);
    const cell = this.#cells.get(spotId);
    const before = cell?.peek();
    const next: SpotState = { ...spot, pulse: spot.pulse ?? before?.pulse ?? 0 };
    if (before?.status !== next.status || before.lotId !== next.lotId || before.zoneId !== next.zoneId) {
      if (before) this.#count(before, -1);
      this.#count(next, 1);
    }
    if (!cell) {
      const added = signal(next);
      this.#cells.set(spot.spotId, added);
      this.#membersOf(next.lotId).cells.add(added);
      this.#touchedLots.add(next.lotId);
      return;
    }
    if (before!.lotId !== next.lotId) {
      this.#membersOf(before!.lotId).cells.delete(cell);
      this.#membersOf(next.lotId).cells.add(cell);
      this.#touchedLots.add(before!.lotId).add(next.lotId);
    } else if (before!.zoneId !== next.zoneId || before!.name !== next.name || !samePlace(before!.location, next.location)) {
      this.#touchedLots.add(next.lotId);
    }
    if (!same(before!, next)) cell.value = next;
  }

  /** The platform has it no more. */
  #drop(spotId: string): void {
    this.#proposals.forget(spotId);
    this.#hide(spotId);
  }

  #hide(spotId: string): void {
    const cell = this.#cells.get(spotId);
    if (!cell) return;
    const { lotId } = cell.peek();
    this.#count(cell.peek(), -1);
    this.#cells.delete(spotId);
    this.#membersOf(lotId).cells.delete(cell);
    this.#touchedLots.add(lotId);
  }

  #count(spot: Spot, n: 1 | -1): void {
    for (const key of ['all', `lot ${spot.lotId}`, `zone ${spot.lotId} ${spot.zoneId ?? ''}`]) {
      const tally = this.#tally(key);
      tally.add(spot.status, n);
      this.#touchedTallies.add(tally);
    }
  }

  /** Runs change and then tells the views, once, so that counts and spots always agree. */
  #batch(change: () => void): void {
    batch(() => {
      change();
      for (const tally of this.#touchedTallies) tally.publish();
      for (const lotId of this.#touchedLots) this.#membersOf(lotId).revision.value++;
      this.#touchedTallies.clear();
      this.#touchedLots.clear();
    });
  }

  #tally(key: string): Tally {
    return getOrAdd(this.#tallies, key, () => new Tally());
  }

  #membersOf(lotId: string) {
    return getOrAdd(this.#members, lotId, () => ({ cells: new Set<Cell>(), revision: signal(0) }));
  }

  #zonesOf(lotId: string): DraftList<Zone> {
    return getOrAdd(this.#zones, lotId, () => new DraftList<Zone>((a, b) => compare(a.id, b.id)));
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function same(a: SpotState, b: SpotState): boolean {
  return a.status === b.status && a.version === b.version && a.zoneId === b.zoneId && a.lotId === b.lotId
    && a.name === b.name && a.category === b.category && a.changedAt === b.changedAt && a.pulse === b.pulse && a.proposed === b.proposed
    && samePlace(a.location, b.location);
}

const samePlace = (a: Location | undefined, b: Location | undefined): boolean => a?.lat === b?.lat && a?.lon === b?.lon;

const { compare } = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
