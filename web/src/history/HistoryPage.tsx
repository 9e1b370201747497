import { computed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { LotPageProps } from '../shell/pages';
import { useTitle } from '../shell/title';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { query } from '../ui/router';
import { useZones } from '../ui/zones';
import { HistoryApi } from './api';
import { useAsked } from './asked';
import { Controls } from './Controls';
import { Figures } from './Figures';
import { HeatPanel } from './HeatPanel';
import './history.css';
import { Notes } from './Notes';
import { LengthPanel, OccupancyPanel, TurnoverPanel } from './panels';
import { liveOf } from './present';
import { StaysPanel } from './StaysPanel';
import { dateIn } from './times';
import { Trouble } from './Trouble';
import { intervalOf, pace, periodOf, readView } from './view';

/** What was: how full a lot was, how it was used, what is usual at which hour. The address says of which time and zone. */
export default function HistoryPage({ session, lot }: LotPageProps) {
  const { api, parking } = session;
  const history = useMemo(() => new HistoryApi(api), [api]);
  const view = readView(query.value);
  const { zone, range, on } = view;
  useTitle(words.history.title(lot.name));
  useZones(session, [lot.id], 0);

  const live = useMemo(() => {
    const counts = zone === undefined ? parking.countsOfLot(lot.id) : parking.countsOfZone(lot.id, zone);
    return computed(() => liveOf(counts.value));
  }, [parking, lot.id, zone]);
  const present = () => { // beside days, a moment says nothing
    const { share } = live.peek();
    return on !== undefined || share === null || intervalOf(range) === 'day' ? undefined : { at: clock.peek(), value: share };
  };

  const today = dateIn(lot.timeZone, Date.now());
  const asked = useAsked(
    session,
    JSON.stringify([lot.id, range, on, zone]),
    (signal) => history.metrics(lot.id, { interval: intervalOf(range), ...periodOf(view, Date.now()), zone }, signal),
    pace(view, today),
  );
  const metrics = asked.answer.value;

  return (
    <article class="history" data-testid="history" data-range={metrics && range} aria-busy={asked.busy.value}>
      <header>
        <h1 tabIndex={-1}>{words.history.title(lot.name)}</h1>
        <Controls session={session} lot={lot} view={view} today={today} />
      </header>
      <Trouble of={asked} announced />
      {metrics && (
        <>
          <Figures metrics={metrics} live={on === undefined ? live : undefined} />
          <Notes metrics={metrics} following={on === undefined} />
          <div class="panels">
            <OccupancyPanel api={api} metrics={metrics} present={present} />
            <TurnoverPanel api={api} metrics={metrics} />
            <LengthPanel api={api} metrics={metrics} />
            <StaysPanel session={session} history={history} lotId={lot.id} view={view} today={today} />
            <HeatPanel session={session} history={history} lotId={lot.id} view={view} today={today} />
          </div>
        </>
      )}
      {!metrics && !asked.problem.value && <p class="none" role="status">{words.history.fetching}</p>}
    </article>
  );
}
