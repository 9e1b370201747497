// The state of all lots and spots, in one place. Views read its signals; only load, merge and apply change it, and what somebody proposes.
import { batch, type ReadonlySignal } from '@preact/signals';
import { orderKey } from '../text/search';
import type { Named } from './order';
import { DraftList, Proposals, type Proposal, type SpotChange } from './proposals';
import { getOrAdd, Shown, type Cell, type SpotState } from './shown';
import type { Counts } from './tally';
import { defined, isStatus, type Lot, type ParkingEvent, type Spot, type Zone } from './wire';

/** What a batch of events did. */
export interface Outcome {
  /** The events that told something new, in order, each with the spot as it was known. */
  readonly news: { readonly event: ParkingEvent; readonly spot: Spot | undefined }[];
  /** The lots of which more must be fetched than events tell: names, categories, the lot itself. */
  readonly incomplete: Set<string>;
}

export class Parking {
  readonly #lots = new DraftList<Lot>(({ name, id }) => `${orderKey(name)}\0${orderKey(id)}`);
  readonly #shown = new Shown();
  readonly #zones = new Map<string, DraftList<Zone>>();
  readonly #proposals = new Proposals();
  /** The version at which a spot was removed, so that an older answer does not bring it back. */
  readonly #removed = new Map<string, number>();

  #era = 0; // counts those for whom it is

  /** The lots by name. */
  get lots(): ReadonlySignal<readonly Lot[]> {
    return this.#lots.shown;
  }

  /** The counts of all spots. */
  get total(): ReadonlySignal<Counts> {
    return this.#shown.total;
  }

  countsOfLot(lotId: string): ReadonlySignal<Counts> {
    return this.#shown.countsOfLot(lotId);
  }

  countsOfZone(lotId: string, zoneId: string): ReadonlySignal<Counts> {
    return this.#shown.countsOfZone(lotId, zoneId);
  }

  /** The spots of a lot. Whoever reads them in a view hears when one comes, goes, or gets another name, zone or place. */
  spotsOfLot(lotId: string): Iterable<Cell> {
    return this.#shown.spotsOfLot(lotId);
  }

  /** The same by name. The list stays the same one as long as nothing but statuses changes. */
  spotsByName(lotId: string): readonly Named[] {
    return this.#shown.spotsByName(lotId);
  }

  /** Calls heard with the spots that have changed, once a batch: for who follows thousands. Returns what ends it. */
  watch(heard: (changed: readonly Cell[]) => void): () => void {
    return this.#shown.watch(heard);
  }

  /** A spot by its id. Whoever reads it in a view hears when it comes or goes. */
  spot(spotId: string): Cell | undefined {
    this.total.value; // it changes with each that comes or goes
    return this.#shown.cell(spotId);
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

  /** The spots of a lot as the platform told them last, without what is proposed. */
  toldOfLot(lotId: string): Spot[] {
    return [...this.#shown.cellsOfLot(lotId)].flatMap((cell) => {
      const told = this.#known(cell.peek().spotId);
      if (!told) return [];
      const { pulse: _, ...spot } = told;
      return spot;
    });
  }

  /** To be called before the platform is asked for the lots: what goes with the answer, which then holds in the order of asking. */
  askLots(): number {
    return this.#lots.ask();
  }

  /** The same for the zones of a lot. */
  askZones(lotId: string): number {
    return this.#zonesOf(lotId).ask();
  }

  /** Takes over a part of the state that {@link load} is about to be given whole, and then has little to do with. */
  prepare(spots: readonly Spot[]): void {
    this.#shown.batch(() => {
      for (const spot of spots) this.#put(spot);
    });
  }

  /** Replaces everything. Spots that are the same as before are left as they are. False: later lots are known already, and stay; asked 0 is what was kept of an earlier visit. */
  load(lots: readonly Lot[], spots: readonly Spot[], asked = this.askLots()): boolean {
    let latest = true;
    this.#shown.batch(() => {
      this.#lots.clear();
      latest = this.#lots.set(lots, asked);
      this.#proposals.forget();
      this.#removed.clear();
      const present = new Set(spots.map((spot) => spot.spotId));
      for (const spotId of this.#shown.ids()) if (!present.has(spotId)) this.#drop(spotId);
      for (const spot of spots) this.#put(spot);
    });
    return latest;
  }

  /** Forgets everything, with what is asked for and not answered yet: the page is somebody else's. */
  forget(): void {
    this.#era++;
    batch(() => {
      this.load([], []);
      this.#lots.forget();
      for (const zones of this.#zones.values()) zones.forget();
    });
  }

  /** Takes over what was fetched while events went on coming: whatever is newer stays. False: later lots are known already. */
  merge(lots: readonly Lot[], spots: readonly Spot[], asked = this.askLots()): boolean {
    let latest = true;
    this.#shown.batch(() => {
      latest = this.#lots.set(lots, asked);
      for (const spot of spots) {
        const known = this.#known(spot.spotId);
        const newest = known ? known.version : (this.#removed.get(spot.spotId) ?? 0) + 1;
        if (spot.version >= newest) this.#put(spot);
      }
    });
    return latest;
  }

  /** False: later ones are known already. */
  setZones(lotId: string, zones: readonly Zone[], asked = this.askZones(lotId)): boolean {
    return this.#zonesOf(lotId).set(zones, asked);
  }

  /** Shows what the platform is asked to do to a spot before it has answered. */
  propose(spotId: string, change: SpotChange): Proposal<Spot> {
    const key = this.#proposals.begin(spotId, this.#known(spotId), change);
    this.#shown.batch(() => this.#show(spotId, this.#known(spotId)));
    return this.#whilePresent<Spot>({
      settle: (answer) => this.#shown.batch(() => {
        const known = this.#known(spotId);
        const learned = this.#proposals.settle(spotId, key, known, answer);
        this.#show(spotId, learned ?? known);
      }),
      revert: () => {
        const known = this.#known(spotId);
        if (this.#proposals.revert(spotId, key)) this.#shown.batch(() => this.#show(spotId, known));
      },
    });
  }

  /** The same for a lot; undefined: it is to go. */
  proposeLot(lotId: string, to: Lot | undefined): Proposal<Lot> {
    return this.#whilePresent(this.#lots.propose(lotId, to));
  }

  /** The same for a zone of a lot. */
  proposeZone(lotId: string, zoneId: string, to: Zone | undefined): Proposal<Zone> {
    return this.#whilePresent(this.#zonesOf(lotId).propose(zoneId, to));
  }

  /** What somebody asked for is nothing to the one who comes after. */
  #whilePresent<T>({ settle, revert }: Proposal<T>): Proposal<T> {
    const era = this.#era;
    return { settle: (now) => era === this.#era && settle(now), revert: () => era === this.#era && revert() };
  }

  /** Applies events in the order in which they came. With motion, the spots show that they changed. */
  apply(events: readonly ParkingEvent[], motion = true): Outcome {
    const outcome: Outcome = { news: [], incomplete: new Set() };
    this.#shown.batch(() => {
      for (const event of events) {
        const before = this.#known(event.spotId);
        if (!this.#applyOne(event, before, motion ? 1 : 0)) continue;
        outcome.news.push({ event, spot: before });
        const lotId = event.lotId ?? before?.lotId;
        if (lotId === undefined) continue;
        // Of a spot that is not known something was left out, where the page was too slow.
        const unknown = event.version !== undefined && event.change !== 'removed' && (!before || !this.#lots.shown.peek().some((lot) => lot.id === lotId));
        if (unknown || event.change === 'added' || event.change === 'edited') outcome.incomplete.add(lotId);
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
      this.#drop(spotId); // also one that is only proposed
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
    const shown = this.#shown.cell(spotId)?.peek();
    const proposed = this.#proposals.of(spotId);
    return proposed ? proposed.known && { pulse: shown?.pulse ?? 0, ...proposed.known } : shown;
  }

  /** Takes over what is known of a spot. */
  #put(spot: Spot & { readonly pulse?: number }): void {
    this.#show(spot.spotId, this.#proposals.learn(spot));
  }

  /** Draws a spot of which this is known, with what is proposed on top. */
  #show(spotId: string, known: (Spot & { readonly pulse?: number }) | undefined): void {
    this.#shown.set(spotId, this.#proposals.shown(spotId, known));
  }

  /** The platform has it no more. */
  #drop(spotId: string): void {
    this.#proposals.forget(spotId);
    this.#shown.set(spotId, undefined);
  }

  #zonesOf(lotId: string): DraftList<Zone> {
    return getOrAdd(this.#zones, lotId, () => new DraftList<Zone>(({ id }) => orderKey(id)));
  }
}
