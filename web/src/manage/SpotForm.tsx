import { useMemo } from 'preact/hooks';
import type { SpotChange } from '../live/proposals';
import type { Session } from '../live/session';
import type { Zone } from '../live/wire';
import { words } from '../text/words';
import { ManageApi } from './api';
import { bound, EditForm } from './EditForm';
import { Editor } from './editor';
import { SelectField, TextField } from './Field';
import { spotForm, toNumber, type SpotValues } from './forms';
import { categories, firstStatuses, type SpotDetails, type Versioned } from './wire';

interface SpotFormProps {
  readonly session: Session;
  readonly lotId: string;
  /** Undefined: a spot is added. */
  readonly opened: Versioned<SpotDetails> | undefined;
  readonly close: () => void;
}

/** Adds a spot to a lot, or changes what is said of one. */
export function SpotForm({ session, lotId, opened, close }: SpotFormProps) {
  const editor = useMemo(() => editorOf(session, lotId, opened), [session, lotId, opened]);
  const labels = words.manage.spotFields;
  const field = <F extends keyof SpotValues>(name: F) => bound(editor, labels, name);
  return (
    <EditForm editor={editor} labels={labels} submit={opened ? words.common.save : words.manage.addSpot} saved={close} cancel={close}>
      {!opened && <TextField {...field('id')} hint={words.manage.idHint} required maxLength={128} />}
      <TextField {...field('name')} hint={words.manage.spotNameHint} maxLength={200} />
      <SelectField {...field('zoneId')} options={zoneOptions(session.parking.zonesOfLot(lotId).value)} />
      <SelectField {...field('category')} options={categoryOptions()} />
      {!opened && <SelectField {...field('status')} options={statusOptions()} />}
      <div class="pair">
        <TextField {...field('lat')} inputMode="decimal" />
        <TextField {...field('lon')} inputMode="decimal" />
      </div>
      <TextField {...field('heartbeat')} hint={words.manage.spotHeartbeatHint} inputMode="numeric" />
    </EditForm>
  );
}

export const zoneOptions = (zones: readonly Zone[]) => [['', words.manage.noZone], ...zones.map(({ id, name }) => [id, name] as const)] as const;
export const categoryOptions = () => categories.map((each) => [each, words.common.categoryName(each)] as const);
export const statusOptions = () => firstStatuses.map((each) => [each, words.common.status[each]] as const);

function editorOf(session: Session, lotId: string, opened: Versioned<SpotDetails> | undefined): Editor<SpotDetails, SpotValues> {
  const api = new ManageApi(session.api);
  const id = opened?.item.spotId;
  return new Editor<SpotDetails, SpotValues>(spotForm, opened, {
    ...(id !== undefined && { read: () => api.spot(id) }),
    write: async (patch, etag) => (id === undefined ? (await api.addSpots(lotId, [patch]))[0]! : api.editSpot(id, patch, etag)),
    propose: (values) => session.parking.propose(id ?? values.id.trim(), opened ? described(values) : { status: 'free', ...described(values), lotId }),
  }, opened ? undefined : { status: 'free' });
}

/** What is said of a spot, as it will be. */
export function described(values: SpotValues): Exclude<SpotChange, 'removed'> {
  const text = (field: keyof SpotValues) => values[field].trim() || undefined;
  const at = text('lat');
  return {
    name: text('name'), zoneId: text('zoneId'), category: values.category,
    location: at === undefined ? undefined : { lat: toNumber(values.lat), lon: toNumber(values.lon) },
    ...(text('status') !== undefined && { status: values.status as (typeof firstStatuses)[number] }),
  };
}
