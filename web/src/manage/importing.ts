// A file of spots on its way into a lot: what it would change is asked for with each choice, and done when somebody says so.
import { batch, effect, signal, untracked } from '@preact/signals';
import type { Problem } from '../live/http';
import type { Session } from '../live/session';
import { problemOf } from './acting';
import { ManageApi, type ImportOptions } from './api';
import { mediaType, type SourceFile } from './files';
import { previewOf, type PreviewRow } from './preview';
import type { Imported, ImportFault } from './wire';

/** What a file would do, as far as it is known. */
export interface Preview {
  readonly report: Imported;
  readonly rows: readonly PreviewRow[];
}

export class SpotImport {
  readonly file = signal<SourceFile | undefined>(undefined);
  readonly lotId = signal<string | undefined>(undefined);
  readonly createZones = signal(true);
  readonly atomic = signal(false);
  readonly #preview = signal<Preview | undefined>(undefined);
  readonly #result = signal<Imported | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);
  readonly #busy = signal<'reading' | 'importing' | undefined>(undefined);
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

  /** Looks again whenever something else is chosen. Returns what ends it. */
  follow(): () => void {
    return effect(() => {
      const file = this.file.value;
      const lotId = this.lotId.value;
      const options = { dryRun: true, createZones: this.createZones.value, atomic: this.atomic.value };
      const ending = new AbortController();
      untracked(() => batch(() => {
        this.#preview.value = this.#result.value = this.#problem.value = this.#busy.value = undefined;
        if (file && lotId !== undefined) void this.#look(file, lotId, options, ending.signal);
      }));
      return () => ending.abort();
    });
  }

  /** Does what was looked at. */
  async run(): Promise<void> {
    const file = this.file.peek();
    const lotId = this.lotId.peek();
    if (!file || lotId === undefined || this.#busy.peek()) return;
    this.#busy.value = 'importing';
    this.#problem.value = undefined;
    try {
      const result = await this.#api.importSpots(lotId, file.text, mediaType(file), { dryRun: false, createZones: this.createZones.peek(), atomic: this.atomic.peek() });
      this.#result.value = result;
      if (result.zonesAdded.length > 0) void this.session.fetchZones(lotId);
    } catch (error) {
      this.#problem.value = problemOf(error);
    } finally {
      this.#busy.value = undefined;
    }
  }

  async #look(file: SourceFile, lotId: string, options: ImportOptions, signal: AbortSignal): Promise<void> {
    this.#busy.value = 'reading';
    try {
      const [report, spots] = await Promise.all([this.#api.importSpots(lotId, file.text, mediaType(file), options, signal), this.#api.spots(lotId)]);
      if (signal.aborted) return;
      const rows = previewOf(file, report, new Map(spots.map((spot) => [spot.spotId, spot])));
      this.#preview.value = { report, rows };
    } catch (error) {
      if (!signal.aborted) this.#problem.value = problemOf(error);
    } finally {
      if (!signal.aborted) this.#busy.value = undefined;
    }
  }
}
