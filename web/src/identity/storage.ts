// What outlives the page, in the tab's own storage: it ends with the tab, and no other tab reads it. An access token is among it only where somebody typed it in.
import type { Attempt } from './flow';

/** How the tab goes on being signed in when the page is loaded again: by a refresh token, or by a token that somebody typed in. */
export interface Kept {
  /** Names the tab's claim to the refresh token, see {@link claim}. */
  readonly id: string;
  readonly refresh?: string;
  readonly typed?: string;
}

const names = { attempt: 'parkwire.attempt', kept: 'parkwire.signed-in' } as const;

export class TabStorage {
  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) {}

  get kept(): Kept | undefined {
    return this.#read<Kept>(names.kept);
  }

  set kept(value: Kept | undefined) {
    this.#write(names.kept, value);
  }

  /** The attempt that was begun here. It is given once, so that an answer cannot come twice. */
  takeAttempt(): Attempt | undefined {
    const attempt = this.#read<Attempt>(names.attempt);
    this.#write(names.attempt, undefined);
    return attempt;
  }

  /** Where the page was when the attempt was begun. */
  get back(): string {
    const back = this.#read<Attempt>(names.attempt)?.back ?? '/';
    return back.startsWith('/') && !back.startsWith('//') ? back : '/';
  }

  set attempt(value: Attempt) {
    this.#write(names.attempt, value);
  }

  #read<T>(name: string): T | undefined {
    try {
      return JSON.parse(this.storage.getItem(name) ?? 'null') ?? undefined;
    } catch {
      return undefined; // not ours, or the browser keeps nothing
    }
  }

  #write(name: string, value: unknown): void {
    try {
      if (value === undefined) this.storage.removeItem(name);
      else this.storage.setItem(name, JSON.stringify(value));
    } catch {
      // The browser keeps nothing: one signs in again for each page.
    }
  }
}

/** As long as a page that is going away may hold its claim after the next one has begun, in milliseconds. */
const goingAway = 2_000;

/**
 * Claims the refresh token with this id for this page, as long as it lives. False: another page has it. A browser that duplicates a tab copies
 * its storage too, and two pages that use one refresh token look like a theft to the provider, which then ends both.
 */
export function claim(id: string, locks: LockManager | undefined): Promise<boolean> {
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = new Promise<never>(() => {});
    locks
      .request(`parkwire ${id}`, { signal: AbortSignal.timeout(goingAway) }, () => (resolve(true), held))
      .catch(() => resolve(false));
  });
}
