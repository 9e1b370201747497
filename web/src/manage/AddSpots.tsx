import { useSignal } from '@preact/signals';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { SelectField } from './Field';
import { SeriesForm } from './SeriesForm';
import { SpotForm } from './SpotForm';

interface AddSpotsProps {
  readonly session: Session;
  readonly lotId: string;
  readonly close: () => void;
}

/** Adds one spot, or many that are numbered. */
export function AddSpots({ session, lotId, close }: AddSpotsProps) {
  const many = useSignal('one');
  return (
    <>
      <SelectField
        name="how" label={words.manage.howMany} value={many.value} set={(value) => (many.value = value)}
        options={[['one', words.manage.one], ['series', words.manage.series]]}
      />
      {many.value === 'one'
        ? <SpotForm session={session} lotId={lotId} opened={undefined} close={close} />
        : <SeriesForm session={session} lotId={lotId} close={close} />}
    </>
  );
}
