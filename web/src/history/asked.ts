// What is asked for, and asked for again as long as it is looked at.
import { batch, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ProblemError, problemOf, type Problem } from '../live/http';
import type { Session } from '../live/session';

type Ask<T> = (signal: AbortSignal) => Promise<T>;

/** Pauses in milliseconds: after a failure, at most; and how old an answer is when somebody comes back to it. */
export const timing = { firstRetry: 2_000, longestRetry: 30_000, old: 5_000 };

/** The page as far as it tells whether somebody looks at it. */
export type Page = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;

export class Asked<T> {
  readonly #answer = signal<T | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);
  readonly #busy = signal(false);
  #now: ((onlyWhatIsOld: boolean) => void) | undefined;

  constructor(private readonly page: Page | undefined = globalThis.document) {}

  /** The latest answer. It stays while the next one is on its way, and when none comes. */
  get answer() {
    return this.#answer;
  }

  /** Why there is no newer one, until there is. */
  get problem() {
    return this.#problem;
  }

  get busy() {
    return this.#busy;
  }

  /** Asks at once. */
  again(): void {
    this.#now?.(false);
  }

  /** Asks where there may be something new since the last answer. */
  refresh(): void {
    this.#now?.(true);
  }

  /** Asks now, and every so many milliseconds while somebody looks; without such a pace once, until there is an answer. Returns what ends it. */
  follow(ask: Ask<T>, every: number | undefined): () => void {
    const { page } = this;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false, due = false, failures = 0, answered = 0;

    const once = async () => {
      clearTimeout(timer);
      if (asking) return;
      asking = true;
      due = false;
      this.#busy.value = true;
      let wait = every;
      try {
        const answer = await ask(controller.signal);
        if (controller.signal.aborted) return;
        failures = 0;
        answered = Date.now();
        batch(() => {
          this.#answer.value = answer;
          this.#problem.value = undefined;
        });
      } catch (error) {
        if (controller.signal.aborted) return;
        wait = Math.max(error instanceof ProblemError ? error.retryAfter : 0, Math.min(timing.longestRetry, timing.firstRetry * 2 ** failures++));
        this.#problem.value = problemOf(error);
      }
      asking = false;
      this.#busy.value = false;
      if (wait !== undefined) timer = setTimeout(onTime, wait);
    };
    const onTime = () => {
      if (page?.visibilityState === 'hidden') due = true; // when somebody looks again
      else void once();
    };
    const onLook = () => page?.visibilityState !== 'hidden' && (due || every !== undefined) && Date.now() - answered > timing.old && void once();

    this.#now = (onlyWhatIsOld) => {
      if (!onlyWhatIsOld || this.#problem.peek() || (every !== undefined && Date.now() - answered > timing.old)) void once();
    };
    page?.addEventListener('visibilitychange', onLook);
    void once();
    return () => {
      controller.abort();
      clearTimeout(timer);
      page?.removeEventListener('visibilitychange', onLook);
      this.#now = undefined;
      this.#busy.value = false;
    };
  }
}

/** Asks for what the key stands for, and anew when that is another. What was answered before stays until then, and says itself what it is about. */
export function useAsked<T>(session: Session, key: string, ask: Ask<T>, every?: number): Asked<T> {
  const asked = useMemo(() => new Asked<T>(), []);
  useEffect(() => asked.follow(ask, every), [asked, key, every]);
  // A connection that is there again brings news.
  useEffect(() => session.connection.state.subscribe((state) => state === 'open' && asked.refresh()), [asked, session]);
  return asked;
}
