import { useMemo } from 'preact/hooks';
import type { Session } from '../live/session';
import type { Zone } from '../live/wire';
import { words } from '../text/words';
import { ManageApi } from './api';
import { bound, EditForm } from './EditForm';
import { Editor } from './editor';
import { TextField } from './Field';
import { toNumber, zoneForm, type ZoneValues } from './forms';
import type { Versioned } from './wire';

interface ZoneFormProps {
  readonly session: Session;
  readonly lotId: string;
  /** Undefined: a zone is added. */
  readonly opened: Versioned<Zone> | undefined;
  readonly close: () => void;
}

/** Adds a zone to a lot, or changes what is said of one. */
export function ZoneForm({ session, lotId, opened, close }: ZoneFormProps) {
  const editor = useMemo(() => editorOf(session, lotId, opened), [session, lotId, opened]);
  const labels = words.manage.zoneFields;
  const field = <F extends keyof ZoneValues>(name: F) => bound(editor, labels, name);
  return (
    <EditForm editor={editor} labels={labels} submit={opened ? words.common.save : words.manage.addZone} saved={close} cancel={close}>
      {!opened && <TextField {...field('id')} hint={words.manage.zoneIdHint} required maxLength={128} />}
      <TextField {...field('name')} required maxLength={200} />
      <TextField {...field('level')} hint={words.manage.levelHint} inputMode="numeric" />
    </EditForm>
  );
}

function editorOf(session: Session, lotId: string, opened: Versioned<Zone> | undefined): Editor<Zone, ZoneValues> {
  const api = new ManageApi(session.api);
  const id = opened?.item.id;
  return new Editor(zoneForm, opened, {
    ...(id !== undefined && { read: () => api.zone(lotId, id) }),
    write: (patch, etag) => (id === undefined ? api.addZone(lotId, patch) : api.editZone(lotId, id, patch, etag)),
    propose: (values) => session.parking.proposeZone(lotId, id ?? values.id.trim(), {
      id: id ?? values.id.trim(), lotId, name: values.name.trim(), ...(values.level.trim() !== '' && { level: toNumber(values.level) }),
    }),
  });
}
