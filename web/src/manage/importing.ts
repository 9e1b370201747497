// A file of spots on its way into a lot: what it would change is asked for with each choice, and done when somebody says so.
import { batch, effect, signal, untracked } from '@preact/signals';
import { problemOf, type Problem } from '../live/http';
import type { Session } from '../live/session';
import { ManageApi } from './api';
import { mediaType, type SourceFile } from './files';
import { previewOf, type PreviewRow } from './preview';
import type { Imported, ImportFault } from './wire';

/** What is to be imported, and how. */
interface Choice {
  readonly file: SourceFile;
  readonly lotId: string;
  readonly createZones: boolean;
  readonly atomic: boolean;
}

/** What a file would do, as far as it is known. */
export interface Preview {
  readonly choice: Choice;
  readonly report: Imported;
  readonly rows: readonly PreviewRow[];
}

export class SpotImport {
  readonly file = signal<SourceFile | undefined>(undefined);
  readonly lotId = signal<string | undefined>(undefined);
  readonly createZones = signal(true);
  readonly atomic = signal(false);
  readonly #preview = signal<Preview | undefined>(undefined);
  readonly #result = signal<(Imported & { readonly lotId: string }) | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);
  readonly #busy = signal<'reading' | 'importing' | undefined>(undefined);
  readonly #late = signal(0); // counts choices that were changed during an import that failed
  readonly #api: ManageApi;

  constructor(private readonly session: Session) {
    this.#api = new ManageApi(session.api);
  }

  get preview() {
    return this.#preview.value;
  }

  get result() {
    return this.#result.value;
  }

  get problem() {
    return this.#problem.value;
  }

  get busy() {
    return this.#busy.value;
  }

  /** The rows that are not right: of a file of which all or nothing is wanted, they are in the refusal. */
  get errors(): readonly ImportFault[] {
    const refused = this.#problem.value?.errors;
    return this.#result.value?.errors ?? this.#preview.value?.report.errors ?? (Array.isArray(refused) ? (refused as ImportFault[]) : []);
  }

  /** Whether there is something to do, and nothing in the way. */
  get ready(): boolean {
    const { report } = this.#preview.value ?? {};
    if (!report || this.#busy.value || this.#result.value) return false;
    return report.added + report.changed > 0 && !(this.atomic.value && report.rejected > 0);
  }

  /** Looks again whenever something else is chosen; not while something is imported, of which it then says what became. Returns what ends it. */
  follow(): () => void {
    return effect(() => {
      const file = this.file.value;
      const lotId = this.lotId.value;
      const how = { createZones: this.createZones.value, atomic: this.atomic.value };
      this.#late.value;
      if (this.#busy.peek() === 'importing') return undefined;
      const ending = new AbortController();
      untracked(() => batch(() => {
        this.#preview.value = this.#result.value = this.#problem.value = this.#busy.value = undefined;
        if (file && lotId !== undefined) void this.#look({ file, lotId, ...how }, ending.signal);
      }));
      return () => ending.abort();
    });
  }

  /** Does what was looked at. */
  async run(): Promise<void> {
    const { choice } = this.#preview.peek() ?? {};
    if (!choice || this.#busy.peek()) return;
    this.#busy.value = 'importing';
    this.#problem.value = undefined;
    try {
      const result = await this.#import(choice, false);
      this.#result.value = { ...result, lotId: choice.lotId };
      if (result.zonesAdded.length > 0) void this.session.described.fetchZones(choice.lotId);
    } catch (error) {
      this.#problem.value = problemOf(error);
    } finally {
      this.#busy.value = undefined;
    }
    const { file, lotId, createZones, atomic } = choice;
    const same = file === this.file.peek() && lotId === this.lotId.peek() && createZones === this.createZones.peek() && atomic === this.atomic.peek();
    if (!same && !this.#result.peek()) this.#late.value++;
  }

  #import({ file, lotId, createZones, atomic }: Choice, dryRun: boolean, signal?: AbortSignal): Promise<Imported> {
    return this.#api.importSpots(lotId, file.text, mediaType(file), { dryRun, createZones, atomic }, signal);
  }

  async #look(choice: Choice, signal: AbortSignal): Promise<void> {
    this.#busy.value = 'reading';
    try {
      const [report, spots] = await Promise.all([this.#import(choice, true, signal), this.#api.spots(choice.lotId)]);
      if (signal.aborted) return;
      const rows = previewOf(choice.file, report, new Map(spots.map((spot) => [spot.spotId, spot])));
      this.#preview.value = { choice, report, rows };
    } catch (error) {
      if (!signal.aborted) this.#problem.value = problemOf(error);
    } finally {
      if (!signal.aborted) this.#busy.value = undefined;
    }
  }
}
