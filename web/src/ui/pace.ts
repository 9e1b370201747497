// What follows the state more slowly than the state changes: at once where it changes now and then, and a few times a second where hundreds of spots do.
import { effect, signal, untracked } from '@preact/signals';
import { useLayoutEffect, useMemo } from 'preact/hooks';

/** Between two times, in milliseconds; and how much of the time the task may take. */
export const pace = { least: 250, share: 0.1 };

/** Runs a task again and again, but not more often than that. */
export class Pace {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBefore = -Infinity;

  constructor(private readonly task: () => void) {}

  /** Runs it as soon as it may be run. */
  soon(): void {
    const wait = this.#notBefore - performance.now();
    if (wait <= 0) this.now();
    else this.#timer ??= setTimeout(() => this.now(), wait);
  }

  /** The same in a later task: the one that asks for it has changed the state, and has the page to draw. */
  later(): void {
    this.#timer ??= setTimeout(() => this.now(), Math.max(0, this.#notBefore - performance.now()));
  }

  now(): void {
    this.stop();
    const begin = performance.now();
    this.task();
    this.done(performance.now() - begin);
  }

  /** The task was done otherwise, and took so long. */
  done(taken: number): void {
    this.#notBefore = performance.now() + Math.max(pace.least, taken / pace.share);
  }

  /** What was to be run soon is not. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** So long a task makes something before the page has its turn, in milliseconds. */
const turn = 12;

/** Makes something in steps, as many at once as a turn has time for; what is soon made is made at once. done hears how long it took, too. Returns what calls it off. */
export function inTurns<T>(steps: Generator<void, T>, done: (made: T, taken: number) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let before = 0;
  const go = () => {
    const begin = performance.now();
    for (;;) {
      const step = untracked(() => steps.next());
      const taken = performance.now() - begin;
      if (step.done) return done(step.value, before + taken);
      if (taken < turn) continue;
      before += taken;
      return void (timer = setTimeout(go));
    }
  };
  go();
  return () => clearTimeout(timer);
}

/** Makes it in one go. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** What is made of the state: anew, at a pace, when a signal that watch reads has changed, and at once for other inputs. */
export function usePaced<T>(watch: () => void, make: () => T, inputs: readonly unknown[]): T {
  const { made, pace } = useMemo(() => {
    const begin = performance.now();
    const made = signal(untracked(make));
    const pace = new Pace(() => (made.value = untracked(make)));
    pace.done(performance.now() - begin);
    return { made, pace };
  }, inputs);
  useLayoutEffect(() => {
    let isMade = true; // in the same task as this
    const end = effect(() => {
      watch();
      if (!isMade) untracked(() => pace.later());
    });
    isMade = false;
    return () => {
      end();
      pace.stop();
    };
  }, [pace]);
  return made.value;
}

/** Makes something in turns, again and again at a pace. What is asked for while it is made is made afterwards, so that it is done some time. */
export class PacedTurns<T> {
  readonly #pace = new Pace(() => this.#begin());
  #making = false;
  #again = false; // when that is done
  #callOff = () => {};

  constructor(private readonly make: () => Generator<void, T>, private readonly take: (made: T) => void) {}

  now(): void {
    this.#pace.now();
  }

  later(): void {
    if (this.#making) this.#again = true;
    else this.#pace.later();
  }

  stop(): void {
    this.#callOff();
    this.#pace.stop();
  }

  #begin(): void {
    this.#making = true;
    this.#again = false;
    this.#callOff = inTurns(this.make(), (made, taken) => {
      this.#making = false;
      this.take(made);
      this.#pace.done(taken);
      if (this.#again) this.#pace.later();
    });
  }
}

/** The same of what takes long to make, in turns. It is undefined until it is made for the first time of what is named by of; then what was made before stays until it is made anew. */
export function usePacedInTurns<T>(watch: () => void, make: () => Generator<void, T>, inputs: readonly unknown[], of: readonly unknown[]): T | undefined {
  const made = useMemo(() => signal<T | undefined>(undefined), of);
  const turns = useMemo(() => {
    const turns = new PacedTurns(make, (result) => (made.value = result));
    turns.now();
    return turns;
  }, [...of, ...inputs]);
  useLayoutEffect(() => {
    let isMade = true; // in the same task as this, or in turns that have begun
    const unwatch = effect(() => {
      watch();
      if (!isMade) untracked(() => turns.later());
    });
    isMade = false;
    return () => {
      unwatch();
      turns.stop();
    };
  }, [turns]);
  return made.value;
}
