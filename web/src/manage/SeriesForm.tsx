import { useSignal } from '@preact/signals';
import type { Problem } from '../live/http';
import type { Session } from '../live/session';
import type { Status } from '../live/wire';
import { number } from '../text/format';
import { words } from '../text/words';
import { addSpots } from './acting';
import { SelectField, TextField } from './Field';
import { series } from './forms';
import { categoryOptions, statusOptions, zoneOptions } from './SpotForm';
import { Trouble } from './Trouble';

interface SeriesFormProps {
  readonly session: Session;
  readonly lotId: string;
  readonly close: () => void;
}

/** Adds spots that are numbered, all of them or none. */
export function SeriesForm({ session, lotId, close }: SeriesFormProps) {
  const values = useSignal({ before: '', from: '01', to: '20', after: '', zoneId: '', category: 'standard', status: 'free' });
  const problem = useSignal<Problem | undefined>(undefined);
  const saving = useSignal(false);
  const { before, from, to, after, zoneId, category, status } = values.value;
  const ids = series(before, from.trim(), to.trim(), after);
  const given = (field: keyof typeof values.value) => ({ name: field, value: values.value[field], set: (value: string) => (values.value = { ...values.value, [field]: value }) });
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!ids || saving.value) return;
    saving.value = true;
    problem.value = await addSpots(session, lotId, ids.map((spotId) => ({ spotId, ...(zoneId !== '' && { zoneId }), category, status: status as Status })));
    saving.value = false;
    if (!problem.value) close();
  };
  return (
    <form class="edit" onSubmit={(event) => void submit(event)} data-testid="series">
      <div class="fields">
        <div class="pair">
          <TextField {...given('before')} label={words.manage.seriesBefore} maxLength={120} />
          <TextField {...given('after')} label={words.manage.seriesAfter} maxLength={120} />
        </div>
        <div class="pair">
          <TextField {...given('from')} label={words.manage.seriesFrom} inputMode="numeric" required />
          <TextField {...given('to')} label={words.manage.seriesTo} inputMode="numeric" required fault={ids ? undefined : words.manage.noSeries} />
        </div>
        <SelectField {...given('zoneId')} label={words.manage.spotFields.zoneId} options={zoneOptions(session.parking.zonesOfLot(lotId).value)} />
        <SelectField {...given('category')} label={words.manage.spotFields.category} options={categoryOptions()} />
        <SelectField {...given('status')} label={words.manage.spotFields.status} options={statusOptions()} />
        {ids && <p role="status">{words.manage.seriesIs(number(ids.length), ids[0]!, ids.at(-1)!)}</p>}
      </div>
      <Trouble problem={problem.value} />
      <footer>
        <button type="button" onClick={close}>{words.common.cancel}</button>
        <button type="submit" class="primary" aria-disabled={saving.value || !ids}>{ids ? words.manage.addMany(number(ids.length)) : words.manage.addSpots}</button>
      </footer>
    </form>
  );
}
