import { useMemo } from 'preact/hooks';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { ManageApi } from './api';
import { bound, EditForm } from './EditForm';
import { Editor } from './editor';
import { TextField } from './Field';
import { lotForm, lotOf, type LotValues } from './forms';
import type { LotDetails, Versioned } from './wire';

const zones = Intl.supportedValuesOf('timeZone');

interface LotFormProps {
  readonly session: Session;
  /** Undefined: a lot is added. */
  readonly opened?: Versioned<LotDetails>;
  readonly saved: (lotId: string) => void;
  readonly cancel?: (() => void) | undefined;
}

/** Adds a lot, or changes what is said of one. */
export function LotForm({ session, opened, saved, cancel }: LotFormProps) {
  const editor = useMemo(() => editorOf(session, opened), [session, opened]);
  const labels = words.manage.lotFields;
  const field = <F extends keyof LotValues>(name: F) => bound(editor, labels, name);
  return (
    <EditForm editor={editor} labels={labels} submit={opened ? words.common.save : words.manage.addLot} saved={() => saved(editor.values.id.trim())} cancel={cancel}>
      {!opened && <TextField {...field('id')} hint={words.manage.idHint} required maxLength={128} />}
      <TextField {...field('name')} required maxLength={200} />
      <TextField {...field('address')} maxLength={500} />
      <TextField {...field('timeZone')} hint={words.manage.timeZoneHint} list="time-zones" />
      <datalist id="time-zones">{zones.map((zone) => <option key={zone} value={zone} />)}</datalist>
      <div class="pair">
        <TextField {...field('lat')} inputMode="decimal" />
        <TextField {...field('lon')} inputMode="decimal" />
      </div>
      <TextField {...field('heartbeat')} hint={words.manage.heartbeatHint} inputMode="numeric" />
    </EditForm>
  );
}

function editorOf(session: Session, opened: Versioned<LotDetails> | undefined): Editor<LotDetails, LotValues> {
  const api = new ManageApi(session.api);
  const { parking } = session;
  const id = opened?.item.id;
  return new Editor<LotDetails, LotValues>(lotForm, opened, {
    ...(id !== undefined && { read: () => api.lot(id) }),
    write: (patch, etag) => (id === undefined ? api.addLot(patch) : api.editLot(id, patch, etag)),
    propose: (values) => parking.proposeLot(id ?? values.id.trim(), lotOf(values, opened?.item)),
  }, opened ? undefined : { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone });
}
