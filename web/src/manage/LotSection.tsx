import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import type { LotPageProps } from '../shell/pages';
import { number } from '../text/format';
import { words } from '../text/words';
import { Loading } from '../ui/Notices';
import { managePath } from '../ui/router';
import { ManageApi } from './api';
import { Confirm } from './Dialog';
import { arriveAt } from './focus';
import { LotForm } from './LotForm';
import { Trouble } from './Trouble';
import type { LotDetails, Versioned } from './wire';

/** What is said of the lot itself, and its end. */
export function LotSection({ session, lot }: LotPageProps) {
  const opened = useSignal<Versioned<LotDetails> | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const saved = useSignal(false);
  const asking = useSignal(false);
  const { total } = session.parking.countsOfLot(lot.id).value;

  const read = () => new ManageApi(session.api).lot(lot.id).then((found) => (opened.value = found), (error: unknown) => (problem.value = problemOf(error)));
  useEffect(() => void read(), [session, lot.id]);

  // This page is the lot's: it stays until the lot is surely gone.
  const remove = async () => {
    try {
      await new ManageApi(session.api).removeLot(lot.id);
      arriveAt(managePath());
      session.parking.proposeLot(lot.id, undefined).settle();
    } catch (error) {
      problem.value = problemOf(error);
    }
  };
  return (
    <section aria-label={words.manage.tab.lot}>
      <Trouble problem={problem.value} />
      {opened.value ? (
        <LotForm
          session={session} opened={opened.value}
          saved={() => (saved.value = true)}
        />
      ) : !problem.value && <Loading />}
      <p class="quiet" role="status">{saved.value ? words.manage.saved : ''}</p>
      <h2>{words.manage.removeLot}</h2>
      <p class="quiet">{total > 0 ? words.manage.lotHasSpots(number(total)) : words.manage.lotIsEmpty}</p>
      <button type="button" class="grave" aria-disabled={total > 0} onClick={() => total === 0 && (asking.value = true)}>{words.manage.removeLot}</button>
      {asking.value && (
        <Confirm
          title={words.manage.removeLot} text={words.manage.removeLotSure(lot.name)} yes={words.common.remove}
          close={() => (asking.value = false)} go={() => void remove()}
        />
      )}
    </section>
  );
}
