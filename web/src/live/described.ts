// What events do not tell: the lots, their zones, and of spots the names, categories and places. It is asked for where an event
// points to it, and now and then where somebody looks, as others change it too.
import type { Api } from './api';
import type { Parking } from './parking';

/**
 * In milliseconds: how long to gather before it is asked for (a new lot comes with hundreds of events), and between two such times; the same for a page
 * that is too slow for all events; after which time what is looked at counts as old, and how often that is looked for; the pauses after failures.
 */
export const pace = { gather: 400, pause: 5_000, slow: 10_000, old: 60_000, look: 300_000, firstRetry: 2_000, longestRetry: 60_000 };

export class Described {
  readonly #incomplete = new Set<string>(); // lots
  #everything = false; // of all lots something may have been left out
  #completing = false;
  readonly #wanted = new Map<string, number>(); // lots of which views show the zones, with how many views
  readonly #askedAt = new Map<string, number>(); // when the zones of a lot were asked for last, unless that failed
  readonly #failed = new Set<string>(); // lots of which the zones did not come
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #lotsAt = 0; // when the lots were asked for last, unless that failed
  #era = 0; // counts those for whom it is asked
  #loads = 0; // counts how often the state was loaded, with all of this but the zones

  constructor(private readonly api: Api, private readonly parking: Parking) {}

  /** Asks for the lots. A failure is no matter: they are asked for again. */
  async fetchLots(): Promise<void> {
    const era = this.#era;
    this.#lotsAt = Date.now();
    for (let latest = false; !latest && era === this.#era;) {
      const asked = this.parking.askLots();
      const lots = await this.api.lots().catch(() => undefined);
      if (era !== this.#era) return;
      if (!lots) return void (this.#lotsAt = 0);
      latest = this.parking.merge(lots, [], asked);
    }
  }

  /** Asks for the zones of a lot. Without them the zones' ids stand for their names, so a failure is no matter. */
  async fetchZones(lotId: string): Promise<void> {
    const era = this.#era;
    this.#askedAt.set(lotId, Date.now());
    for (let latest = false; !latest && era === this.#era;) {
      const asked = this.parking.askZones(lotId);
      const zones = await this.api.zones(lotId).catch(() => undefined);
      if (era !== this.#era) return;
      if (!zones) return this.#tryAgain(lotId);
      latest = this.parking.setZones(lotId, zones, asked);
    }
    this.#failures = 0;
  }

  /** A view shows the names of a lot's zones: they are asked for where what is known is older than this (milliseconds; Infinity: where nothing is known), and again as long as the view is there. Returns what ends that. */
  wantZones(lotId: string, oldest = pace.old): () => void {
    this.#wanted.set(lotId, (this.#wanted.get(lotId) ?? 0) + 1);
    if (this.#isOld(lotId, oldest)) void this.fetchZones(lotId);
    return () => {
      const views = this.#wanted.get(lotId)! - 1;
      if (views > 0) this.#wanted.set(lotId, views);
      else this.#wanted.delete(lotId);
    };
  }

  /** Asks again for what is shown and may have been changed by others, where it is old. */
  look(): void {
    if (Date.now() - this.#lotsAt > pace.old) void this.fetchLots();
    for (const lotId of this.#wanted.keys()) if (this.#isOld(lotId, pace.old)) void this.fetchZones(lotId);
  }

  /** The connection is there again: lots may have been changed meanwhile. */
  reopened(): void {
    this.#lotsAt = 0;
    this.look();
  }

  /** Events told of these lots, but not everything. */
  complete(lotIds: ReadonlySet<string>): void {
    for (const lotId of lotIds) this.#incomplete.add(lotId);
    if (lotIds.size > 0) void this.#complete();
  }

  /** Events were left out: of each spot only the newest came, which does not tell what the ones before changed. */
  completeAll(): void {
    this.#everything = true;
    void this.#complete();
  }

  /** The state was loaded, with everything but the zones. latest: no later lots were known than those. */
  loaded(latest: boolean): void {
    this.#loads++;
    this.#incomplete.clear();
    this.#everything = false;
    this.#lotsAt = Date.now();
    if (!latest) void this.fetchLots();
    for (const lotId of this.#wanted.keys()) if (this.#isOld(lotId, 0)) void this.fetchZones(lotId);
  }

  /** Forgets what was asked for: the page is somebody else's. */
  forget(): void {
    this.#era++;
    this.#loads++;
    this.#incomplete.clear();
    this.#everything = false;
    this.#askedAt.clear();
    this.#failed.clear();
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#lotsAt = this.#failures = 0;
  }

  #isOld(lotId: string, oldest: number): boolean {
    const asked = this.#askedAt.get(lotId);
    return asked === undefined || Date.now() - asked > oldest;
  }

  /** Once more after a pause, where they are still wanted then. */
  #tryAgain(lotId: string): void {
    this.#askedAt.delete(lotId);
    this.#failed.add(lotId);
    this.#retry ??= setTimeout(() => {
      const lotIds = [...this.#failed].filter((each) => this.#wanted.has(each));
      this.#retry = undefined;
      this.#failed.clear();
      for (const each of lotIds) void this.fetchZones(each);
    }, Math.min(pace.longestRetry, pace.firstRetry * 2 ** this.#failures++));
  }

  /** Fetches the lots and spots of which events do not tell everything. */
  async #complete(): Promise<void> {
    if (this.#completing) return;
    this.#completing = true;
    for (let delay = pace.gather; this.#incomplete.size > 0 || this.#everything; delay = pace.pause) {
      await new Promise((resolve) => setTimeout(resolve, this.#everything ? pace.slow : delay));
      const everything = this.#everything;
      const lotIds = [...this.#incomplete];
      this.#everything = false;
      this.#incomplete.clear();
      if (!everything && lotIds.length === 0) break; // it was loaded meanwhile
      const loads = this.#loads;
      const asked = this.parking.askLots();
      try {
        const [lots, ...spots] = await Promise.all([this.api.lots(), ...(everything ? [this.api.spots()] : lotIds.map((lotId) => this.api.spots(lotId)))]);
        if (loads !== this.#loads) continue; // a spot may have been removed between
        if (!this.parking.merge(lots, spots.flat(), asked)) void this.fetchLots();
        for (const lotId of this.#wanted.keys()) if (this.parking.lacksZone(lotId)) void this.fetchZones(lotId);
      } catch {
        if (loads !== this.#loads) continue;
        this.#everything ||= everything; // again after the pause
        for (const lotId of lotIds) this.#incomplete.add(lotId);
      }
    }
    this.#completing = false;
  }
}

/** Looks now and then, and when somebody comes back to the page. Returns what ends it. */
export function keepLooking(described: Pick<Described, 'look'>): () => void {
  const look = () => document.hidden || described.look();
  const timer = setInterval(look, pace.look * (0.75 + Math.random() / 2)); // not all pages at once
  document.addEventListener('visibilitychange', look);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', look);
  };
}
