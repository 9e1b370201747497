// One form that is open: what is filled in, what is wrong with it, and what others have changed meanwhile.
import { batch, signal } from '@preact/signals';
import { ProblemError, problemOf, type Problem } from '../live/http';
import type { Proposal } from '../live/proposals';
import type { Patch } from './api';
import { rebase, type Clash, type Fault, type Faults, type Form, type Values } from './forms';
import type { Versioned } from './wire';

export interface Writing<T, V extends Values> {
  /** Absent for what is new. */
  readonly read?: () => Promise<Versioned<T>>;
  readonly write: (patch: Patch, etag: string | undefined) => Promise<T>;
  /** Shows it as it will be. */
  readonly propose: (values: V) => Proposal<T>;
}

const mostTries = 8; // against others who change other fields, or sensors that change the spot

export class Editor<T, V extends Values> {
  readonly #values = signal<V>(undefined!);
  readonly #faults = signal<Faults<V>>({});
  readonly #refused = signal<{ readonly field: keyof V; readonly text: string } | undefined>(undefined);
  readonly #clashes = signal<readonly Clash<V>[]>([]);
  readonly #problem = signal<Problem | undefined>(undefined);
  readonly #saving = signal(false);

  /** opened is what the form was opened with; undefined: it is to be added, and filled in with what is given already. */
  constructor(private readonly form: Form<T, V>, private opened: Versioned<T> | undefined, private readonly writing: Writing<T, V>, given?: Partial<V>) {
    this.#values.value = { ...form.values(opened?.item), ...given };
  }

  get adding(): boolean {
    return this.opened === undefined;
  }

  get values(): V {
    return this.#values.value;
  }

  get clashes() {
    return this.#clashes.value;
  }

  get problem() {
    return this.#problem.value;
  }

  get saving() {
    return this.#saving.value;
  }

  /** What this page finds wrong with a field. */
  fault(field: keyof V): Fault | undefined {
    return this.#faults.value[field];
  }

  /** What the platform finds wrong with it, in its words. */
  refusal(field: keyof V): string | undefined {
    return this.#refused.value?.field === field ? this.#refused.value.text : undefined;
  }

  set<F extends keyof V & string>(field: F, value: string): void {
    batch(() => {
      this.#values.value = { ...this.#values.value, [field]: value };
      if (this.#refused.value?.field === field) this.#refused.value = undefined;
      if (Object.keys(this.#faults.value).length > 0) this.#faults.value = this.form.check(this.#values.value, this.adding);
    });
  }

  /** Gives up what clashes with what somebody else has done. */
  takeTheirs(): void {
    batch(() => {
      for (const { field, theirs } of this.#clashes.value) this.set(field, theirs);
      this.#clashes.value = [];
    });
  }

  /** Has it written. Returns whether it was. */
  async save(): Promise<boolean> {
    if (this.#saving.value) return false;
    const wanted = this.#values.value;
    const from = this.form.values(this.opened?.item);
    const faults = this.form.check(wanted, this.adding);
    batch(() => {
      this.#faults.value = faults;
      this.#problem.value = this.#refused.value = undefined;
      this.#clashes.value = [];
    });
    if (Object.keys(faults).length > 0) return false;
    const patch = this.form.patch(wanted, this.adding ? blank(from) : from);
    if (!this.adding && Object.keys(patch).length === 0) return true;
    this.#saving.value = true;
    const proposal = this.writing.propose(wanted);
    try {
      const saved = await this.#write(patch, wanted, from);
      if (saved === undefined) {
        proposal.revert();
        return false;
      }
      proposal.settle(saved);
      // What is filled in from now on is new to that. Its mark is not known: the next one is refused and reads it.
      if (this.opened) this.opened = { ...this.opened, item: saved };
      return true;
    } catch (error) {
      proposal.revert();
      this.#refuse(error);
      return false;
    } finally {
      this.#saving.value = false;
    }
  }

  /** Undefined: somebody else has changed the same. */
  async #write(patch: Patch, wanted: V, from: V): Promise<T | undefined> {
    const { read, write } = this.writing;
    let etag = this.opened?.etag;
    for (let tries = 1; ; tries++) {
      try {
        return await write(patch, etag);
      } catch (error) {
        if (!read || tries === mostTries || !(error instanceof ProblemError) || error.problem.status !== 412) throw error;
        const latest = await read();
        const { values, clashes } = rebase(from, wanted, this.form.values(latest.item));
        if (clashes.length > 0) {
          batch(() => {
            this.opened = latest;
            this.#values.value = values;
            this.#clashes.value = clashes;
          });
          return undefined;
        }
        etag = latest.etag; // what else is new has nothing to do with what is filled in
      }
    }
  }

  #refuse(error: unknown): void {
    const problem = problemOf(error);
    const field = typeof problem.field === 'string' ? this.form.fieldOf(problem.field) : undefined;
    if (field !== undefined) this.#refused.value = { field, text: problem.detail ?? problem.title };
    else this.#problem.value = problem;
  }
}

/** All that is filled in is new to what is empty. */
const blank = <V extends Values>(values: V): V => Object.fromEntries(Object.keys(values).map((field) => [field, ''])) as unknown as V;
