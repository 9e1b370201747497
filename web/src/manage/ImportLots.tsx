import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import type { PageProps } from '../shell/pages';
import { number } from '../text/format';
import { words } from '../text/words';
import { useAccount } from '../ui/who';
import { ManageApi } from './api';
import { forEach, type Refused } from './bulk';
import { FilePicker } from './FilePicker';
import type { SourceFile } from './files';
import { useSeen } from './focus';
import { Faults } from './ImportFaults';
import { LotPreview } from './LotPreview';
import { planLots, type LotEntry } from './lotfile';
import { writeLot } from './lotwriting';
import { sayProblem, Trouble } from './Trouble';
import type { LotDetails } from './wire';

const example = `id,name,address,timeZone,lat,lon
central,Central Station,1 Station Road,Europe/Berlin,48.14,11.558
harbour,Harbour,,Europe/Berlin,48.15,11.6`;

/** Lots from a file. */
export function ImportLots({ session }: PageProps) {
  const account = useAccount();
  const file = useSignal<SourceFile | undefined>(undefined);
  const known = useSignal<readonly LotDetails[] | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const progress = useSignal<number | undefined>(undefined);
  const refused = useSignal<readonly Refused<LotEntry>[] | undefined>(undefined);
  const plan = useComputed(() => file.value && known.value && planLots(file.value, known.value, (id) => account.may('operate', id)));
  const read = () => new ManageApi(session.api).lots().then((lots) => (known.value = lots), (error: unknown) => (problem.value = problemOf(error)));
  useEffect(() => void read(), [session]);
  const left = useRef(false);
  useEffect(() => () => void (left.current = true), []);

  const entries = plan.value?.entries.filter(({ change }) => change !== 'unchanged') ?? [];
  const outcome = useSeen(file.value, plan.value !== undefined);
  const run = async () => {
    if (progress.value !== undefined || entries.length === 0) return;
    progress.value = 0;
    // What is left when somebody leaves is not done: nobody would hear of what is refused, and the same file shows it again.
    refused.value = await forEach(entries, (entry) => writeLot(session, entry), (done) => (progress.value = done), () => left.current);
    progress.value = undefined;
    await read();
  };
  const faults = plan.value?.faults.map(({ place, id, field, fault }) => ({
    ...(file.value?.kind === 'geojson' ? { feature: place } : { line: place }), spotId: id, ...(field !== undefined && { field: words.manage.lotFields[field] }), reason: words.manage.faults[fault], remedy: '',
  }));
  return (
    <div class="steps">
      <section class="step" aria-label={words.manage.source}>
        <FilePicker
          file={file.value} example={example}
          take={(taken) => {
            refused.value = undefined;
            file.value = taken;
          }}
        />
      </section>
      <div class="outcome" ref={outcome}>
        <Trouble problem={problem.value} />
        {file.value && known.value && !plan.value && <p class="trouble" role="alert">{words.manage.noLotFile}</p>}
        {refused.value && (
          <section class="result" data-testid="result" role="status">
            <h2>{words.manage.imported}</h2>
            {refused.value.map(({ item, problem: is }) => <p key={item.id} class="fault"><b>{item.id}</b> {sayProblem(is)}</p>)}
          </section>
        )}
        {plan.value && <LotPreview plan={plan.value} />}
        {plan.value && file.value && <Faults faults={faults ?? []} omitted={0} file={file.value} />}
        {plan.value && (
          <div class="confirm">
            <p><b>{file.value?.name || words.manage.pasted}</b></p>
            {entries.length === 0 && <p>{words.manage.nothingToImport}</p>}
            {progress.value !== undefined && <progress max={entries.length} value={progress.value} aria-label={words.manage.saving} />}
            <button type="button" class="primary" data-testid="import" aria-disabled={entries.length === 0 || progress.value !== undefined} onClick={() => void run()}>
              {words.manage.importLots(number(entries.length))}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
