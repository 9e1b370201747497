// What was asked of the platform and is shown already, though it has not answered yet, or its event has not come.
import { signal, type ReadonlySignal } from '@preact/signals';
import { defined, type Spot } from './wire';

/** What is to become of a spot; undefined takes a field away. Of a spot that is not there, all that a spot has. */
export type SpotChange = { readonly [K in Exclude<keyof Spot, 'spotId' | 'version' | 'changedAt'>]?: Spot[K] | undefined } | 'removed';

export interface Proposal<T> {
  /** The platform did it: this is what it is now, or it is gone. */
  settle(now?: T): void;
  /** It did not: what is known is shown again. */
  revert(): void;
}

/** A spot with what only views need. */
type Shown = Spot & { readonly pulse?: number };

interface Open {
  /** What the platform told last; undefined: it knows of none. */
  known: Spot | undefined;
  /** What is shown on top of that. */
  readonly change: SpotChange;
  /** What the platform answered: it holds until an event tells the same, or something later. */
  readonly answer?: Spot;
}

/**
 * The proposals for spots. What is shown of a spot is what is known, with what was asked for on top, until the platform
 * has refused it, or events have told of it. Versions are always those that are known, so that the event is news when it comes.
 */
export class Proposals {
  readonly #open = new Map<string, Open>();

  /** What is known of a spot that is shown otherwise; undefined: it is shown as it is known. */
  of(spotId: string): { readonly known: Spot | undefined } | undefined {
    return this.#open.get(spotId);
  }

  /** Begins a proposal, instead of the one before. It is the key to end it by. */
  begin(spotId: string, known: Spot | undefined, change: SpotChange): object {
    const stamped = change !== 'removed' && change.status !== undefined && change.status !== known?.status;
    const open: Open = { known, change: stamped ? { ...change, ...{ changedAt: new Date().toISOString() } } : change };
    this.#open.set(spotId, open);
    return open;
  }

  /** Takes over what the platform tells of a spot, and ends what that makes void. Returns what is to be known from now on. */
  learn(spot: Shown): Shown {
    const open = this.#open.get(spot.spotId);
    if (!open) return spot;
    const { known, change, answer } = open;
    if (answer && spot.version >= answer.version) {
      this.#open.delete(spot.spotId);
      return answer.version === spot.version ? { ...answer, ...defined({ pulse: spot.pulse }) } : spot; // events tell less than the answer did
    }
    // Something else happened to it meanwhile: that holds, until there is an answer.
    const otherwise = change !== 'removed' && change.status !== undefined && change.status !== spot.status;
    if (!answer && otherwise && spot.version > (known?.version ?? 0)) this.#open.delete(spot.spotId);
    else open.known = spot;
    return spot;
  }

  /** Ends a proposal by the platform's answer. Returns what is known by it at once, where that is so. */
  settle(spotId: string, key: object, known: Spot | undefined, answer: Spot | undefined): Spot | undefined {
    const open = this.#open.get(spotId);
    if (open && open !== key) return undefined; // there is a later one; the event of this one comes too
    if (answer === undefined) return undefined; // it stays hidden until its event has come
    if (!open && !known) return undefined; // it is gone again, or the state was loaded anew: what is to be known of it, events tell
    if (answer.version > (known?.version ?? 0)) {
      this.#open.set(spotId, { known, change: {}, answer });
      return undefined;
    }
    this.#open.delete(spotId);
    return answer.version === known?.version ? answer : undefined;
  }

  /** Ends a proposal that the platform refused. Returns whether it was still shown. */
  revert(spotId: string, key: object): boolean {
    return this.#open.get(spotId) === key && this.#open.delete(spotId);
  }

  /** The spot is gone, or nobody asks any more. */
  forget(spotId?: string): void {
    if (spotId === undefined) this.#open.clear();
    else this.#open.delete(spotId);
  }

  /** What is to be shown where this is known; undefined: nothing. */
  shown(spotId: string, known: Spot | undefined): (Spot & { readonly proposed?: true }) | undefined {
    const open = this.#open.get(spotId);
    if (!open) return known;
    const { change, answer } = open;
    if (change === 'removed') return undefined;
    const version = known?.version ?? 0;
    if (answer) return { ...answer, version };
    const base = known ?? { spotId, lotId: '', status: 'unknown', changedAt: new Date().toISOString() };
    return { ...(defined({ ...base, ...change }) as unknown as Spot), version, proposed: true };
  }
}

/** A list as the platform tells it, with what was asked of the platform on top. It is another one only where anything in it is: much is made of it. */
export class DraftList<T extends { readonly id: string }> {
  readonly #shown = signal<readonly T[]>([]);
  readonly #drafts = new Map<string, { readonly to: T | undefined }>();
  #known: readonly T[] = [];
  #asked = 0; // how often it was asked for
  #taken = -1; // the asking by which it is known

  /** orderOf: what one is ordered by among the others. */
  constructor(private readonly orderOf: (item: T) => string) {}

  get shown(): ReadonlySignal<readonly T[]> {
    return this.#shown;
  }

  /** To be called before the platform is asked for the list. Returns what goes with the answer. */
  ask(): number {
    return ++this.#asked;
  }

  /** Takes over the list as it was told; asked 0 is what was there before anything was asked for. False: something later is known than an answer to this asking can tell. */
  set(known: readonly T[], asked = this.ask()): boolean {
    if (asked <= this.#taken) return false;
    this.#taken = asked;
    this.#known = known;
    this.#publish();
    return true;
  }

  /** Forgets what is to be. */
  clear(): void {
    this.#drafts.clear();
  }

  /** Forgets everything. */
  forget(): void {
    this.#drafts.clear();
    this.#known = [];
    this.#taken = -1;
    this.#publish();
  }

  /** Shows what is asked for: something that is to be there, new or changed, or nothing any more. */
  propose(id: string, to: T | undefined): Proposal<T> {
    const draft = { to };
    this.#drafts.set(id, draft);
    this.#publish();
    const end = (): boolean => this.#drafts.get(id) === draft && this.#drafts.delete(id);
    return {
      settle: (now) => {
        end();
        const others = this.#known.filter((each) => each.id !== id);
        this.set(now ? [...others, now] : others); // of which what was asked for before may not know
      },
      revert: () => {
        if (end()) this.#publish();
      },
    };
  }

  #publish(): void {
    const others = this.#known.filter(({ id }) => !this.#drafts.has(id));
    const drafts = [...this.#drafts.values()].flatMap(({ to }) => to ?? []);
    const ordered = [...others, ...drafts].map((item) => ({ item, key: this.orderOf(item) })).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const before = this.#shown.peek();
    const list = ordered.map(({ item }, i) => (JSON.stringify(item) === JSON.stringify(before[i]) ? before[i]! : item));
    if (list.length !== before.length || list.some((item, i) => item !== before[i])) this.#shown.value = list;
  }
}
