import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { Loading } from '../ui/Notices';
import { setQuery } from '../ui/router';
import { removeSpot } from './acting';
import { ManageApi } from './api';
import { Dialog } from './Dialog';
import { SpotForm } from './SpotForm';
import { Trouble } from './Trouble';
import type { SpotDetails, Versioned } from './wire';

const close = () => setQuery({ spot: undefined });

/** A spot of the lot that the address names, to be changed or removed. */
export function EditSpot({ session, lotId, spotId }: { session: Session; lotId: string; spotId: string }) {
  const opened = useSignal<Versioned<SpotDetails> | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const sure = useSignal(false);
  useEffect(() => {
    new ManageApi(session.api).spot(spotId).then((found) => (opened.value = found), (error: unknown) => (problem.value = problemOf(error)));
  }, [session, spotId]);
  const remove = async () => {
    problem.value = await removeSpot(session, spotId);
    if (!problem.value) close();
  };
  return (
    <Dialog title={words.manage.editOf(opened.value?.item.name ?? spotId)} close={close}>
      <Trouble problem={problem.value} />
      {opened.value && <SpotForm session={session} lotId={lotId} opened={opened.value} close={close} />}
      {!opened.value && !problem.value && <Loading />}
      {opened.value && (
        <footer class="apart">
          {sure.value ? (
            <>
              <p>{words.manage.removeSpotSure}</p>
              <button type="button" onClick={() => (sure.value = false)}>{words.common.cancel}</button>
              <button type="button" class="grave" onClick={() => void remove()}>{words.manage.removeForGood}</button>
            </>
          ) : <button type="button" class="grave" onClick={() => (sure.value = true)}>{words.manage.removeSpot}</button>}
        </footer>
      )}
    </Dialog>
  );
}
