import { effect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { lotOf, place, type Place } from '../ui/router';
import { said } from '../ui/said';

/** Between two summaries, in milliseconds. */
export const pause = 20_000;

/** The one live region: says what the connection does, and now and then how many spots are free where one looks. */
export function Announcer({ session }: { session: Session }) {
  useEffect(() => announce(session), [session]);
  return <p class="unseen" role="status">{said.value}</p>;
}

/** Returns what ends it. */
export function announce(session: Session): () => void {
  const { connection, loaded } = session;
  const ofState = effect(() => {
    const problem = loaded.value ? undefined : connection.problem.value;
    said.value = problem ? words.common.problem(problem).title : standing(session);
  });
  const ofCounts = setInterval(() => {
    const isPresent = connection.state.peek() === 'open' && !connection.stale.peek();
    const summary = isPresent ? summaryOf(session, place.peek()) : undefined;
    if (summary !== undefined) said.value = summary;
  }, pause);
  return () => {
    ofState();
    clearInterval(ofCounts);
  };
}

/** What the connection does, and since when what is shown may be old. */
function standing({ connection: { state, stale, asOf } }: Session): string {
  if (stale.value) return words.shell.delay(asOf.peek() ?? Date.now());
  return state.value === 'open' ? words.shell.connection.open : words.shell.staleness(state.value, asOf.peek());
}

/** Where somebody fills in a form, or reads of the past, they hear of that alone. */
const silent: readonly Place['view'][] = ['alerts', 'manage', 'manage-lot', 'import', 'lot-history', 'nowhere'];

/** How it is now where somebody looks; undefined: they are at something else. */
function summaryOf({ parking }: Session, at: Place): string | undefined {
  if (silent.includes(at.view)) return undefined;
  if (at.view === 'spot') {
    const spot = parking.spot(at.spotId)?.peek();
    return spot && words.spot.pageTitle(spot.name ?? spot.spotId, words.common.status[spot.status]);
  }
  const lotId = lotOf(at);
  const lot = lotId === undefined ? undefined : parking.lots.peek().find(({ id }) => id === lotId);
  return lot ? words.common.summary(lot.name, parking.countsOfLot(lot.id).peek()) : words.common.summary(words.common.allLots, parking.total.peek());
}
