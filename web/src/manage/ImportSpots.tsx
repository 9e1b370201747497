import { useEffect, useMemo } from 'preact/hooks';
import type { PageProps } from '../shell/pages';
import { number } from '../text/format';
import { words } from '../text/words';
import { query, setQuery } from '../ui/router';
import { useAccount } from '../ui/who';
import { SelectField } from './Field';
import { FilePicker } from './FilePicker';
import { useSeen } from './focus';
import { Faults } from './ImportFaults';
import { SpotImport } from './importing';
import { ImportPreview } from './ImportPreview';
import { ImportResult } from './ImportResult';
import { Trouble } from './Trouble';

const example = `spotId,name,zoneId,category,lat,lon,status
A-017,A 17,L1,standard,48.137,11.575,free
A-018,A 18,L1,electric,48.1371,11.5751,occupied`;

/** Spots of one lot from a file. */
export function ImportSpots({ session }: PageProps) {
  const account = useAccount();
  const task = useMemo(() => new SpotImport(session), [session]);
  useEffect(() => task.follow(), [task]);
  const lots = session.parking.lots.value.filter(({ id }) => account.may('operate', id));
  const asked = query.value.get('lot');
  const lot = lots.find(({ id }) => id === asked) ?? (lots.length === 1 ? lots[0] : undefined);
  useEffect(() => void (task.lotId.value = lot?.id), [task, lot?.id]);
  const { preview, result, problem, busy, ready } = task;
  const file = task.file.value;
  const outcome = useSeen(file, preview !== undefined);
  const into = result && session.parking.lots.value.find(({ id }) => id === result.lotId);
  const count = preview ? preview.report.added + preview.report.changed : 0;
  return (
    <div class="steps">
      <section class="step" aria-label={words.manage.source} inert={busy === 'importing'}>
        <SelectField
          name="lot" label={words.manage.toLot} value={lot?.id ?? ''} set={(id) => setQuery({ lot: id })}
          options={[['', words.manage.chooseLot], ...lots.map(({ id, name }) => [id, name] as const)]}
        />
        <FilePicker file={file} take={(taken) => (task.file.value = taken)} example={example} />
        <label class="check">
          <input type="checkbox" checked={task.createZones.value} onChange={(event) => (task.createZones.value = event.currentTarget.checked)} /> {words.manage.createZones}
        </label>
        <label class="check">
          <input type="checkbox" checked={task.atomic.value} onChange={(event) => (task.atomic.value = event.currentTarget.checked)} /> {words.manage.atomic}
        </label>
      </section>
      <div class="outcome" ref={outcome}>
        {file && !lot && <p class="none">{words.manage.chooseLotFirst}</p>}
        <p role="status" class="quiet">{busy && words.manage.busy[busy]}</p>
        <Trouble problem={problem} />
        {result && into && <ImportResult result={result} lot={into} again={() => (task.file.value = undefined)} />}
        {preview && !result && <ImportPreview preview={preview} />}
        {file && <Faults faults={task.errors} omitted={(result ?? preview?.report)?.errorsOmitted ?? 0} file={file} />}
        {preview && !result && (
          <div class="confirm">
            {lot && file && <p><b>{words.manage.into(file.name || words.manage.pasted, lot.name)}</b></p>}
            {count === 0 && <p>{words.manage.nothingToImport}</p>}
            {task.atomic.value && preview.report.rejected > 0 && <p>{words.manage.atomicRefused}</p>}
            <button type="button" class="primary" data-testid="import" aria-disabled={!ready} onClick={() => ready && void task.run()}>
              {words.manage.importCount(number(count))}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
