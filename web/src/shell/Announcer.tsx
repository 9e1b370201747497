import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { lotOf, place } from '../ui/router';

const pause = 20_000; // between two summaries, in milliseconds

/** The one live region: says what the connection does, and now and then how many spots are free where one looks. */
export function Announcer({ session }: { session: Session }) {
  useEffect(() => follow(session), [session]);
  return <p class="unseen" role="status">{text.value}</p>;
}

const text = signal('');

function follow({ connection, parking, loaded }: Session): () => void {
  const ofState = effect(() => {
    const state = connection.state.value;
    const problem = loaded.value ? undefined : connection.problem.value;
    text.value = problem ? words.common.problem(problem).title : state === 'open' ? words.shell.connection.open : words.shell.staleness(state, connection.asOf.peek());
  });
  const ofCounts = setInterval(() => {
    if (connection.state.peek() !== 'open') return;
    const lotId = lotOf(place.peek());
    const lot = lotId === undefined ? undefined : parking.lots.peek().find(({ id }) => id === lotId);
    const { common } = words;
    text.value = lot ? common.summary(lot.name, parking.countsOfLot(lot.id).peek()) : common.summary(common.allLots, parking.total.peek());
  }, pause);
  return () => {
    ofState();
    clearInterval(ofCounts);
  };
}
