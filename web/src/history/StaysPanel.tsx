import { useId } from 'preact/hooks';
import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import { setQuery } from '../ui/router';
import { staysPath, type HistoryApi } from './api';
import { useAsked } from './asked';
import { Downloads } from './Downloads';
import { duration } from './format';
import { Trouble } from './Trouble';
import { pace, parametersOf, periodOf, type View } from './view';
import { percentiles, type Dwells } from './wire';

interface StaysProps {
  readonly session: Session;
  readonly history: HistoryApi;
  readonly lotId: string;
  readonly view: View;
  readonly today: string;
}

const seldom = 60_000; // milliseconds: statistics are of many stays

/** How long people stayed: not on the average, which few do, but how many were gone after how long. */
export function StaysPanel({ session, history, lotId, view, today }: StaysProps) {
  const id = useId();
  const { zone, sameDay } = view;
  const options = { zone, sameDay: sameDay ? 1 : undefined };
  const every = pace(view, today);
  const asked = useAsked(
    session,
    JSON.stringify([lotId, view.range, view.on, options]),
    (signal) => history.stays(lotId, { ...periodOf(view, Date.now()), ...options, limit: 1 }, signal),
    every && Math.max(every, seldom),
  );
  const answer = asked.answer.value;
  const { statistics } = answer ?? {};
  return (
    <section class="panel" aria-labelledby={id} aria-busy={asked.busy.value}>
      <header>
        <h2 id={id}>{words.history.stays}</h2>
        <label class="check">
          <input type="checkbox" checked={sameDay} onChange={(event) => setQuery(parametersOf({ ...view, sameDay: event.currentTarget.checked }))} />
          {words.history.sameDay}
        </label>
      </header>
      <Trouble of={asked} />
      {statistics && (
        <>
          <p class="quiet">{words.history.staysCounted(number(statistics.totalSessions), statistics.incomplete)}</p>
          {statistics.dwellTimeMinutes ? <Quantiles dwells={statistics.dwellTimeMinutes} /> : <p class="none">{words.history.noStays}</p>}
        </>
      )}
      {answer && (
        <footer>
          <Downloads api={session.api} path={staysPath(lotId)} query={{ from: answer.from, to: answer.to, ...options }} what={words.history.stays} />
        </footer>
      )}
    </section>
  );
}

const shares: Record<(typeof percentiles)[number], number> = { p5: 5, p10: 10, p25: 25, median: 50, p75: 75, p90: 90, p95: 95, p99: 99 };

function Quantiles({ dwells }: { dwells: Dwells }) {
  const { history } = words;
  const rows = [...percentiles.map((key) => ({ key, name: history.percentOfStays(shares[key]), value: dwells[key] })), { key: 'longest', name: history.longest, value: dwells.longest }];
  const most = Math.max(dwells.p99, 1); // the longest one is often far out
  return (
    <table class="quantiles">
      <thead>
        <tr>
          <th scope="col">{history.staysColumn}</th>
          <th scope="col">{history.noLongerThan}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, name, value }) => (
          <tr key={key} data-key={key}>
            <th scope="row">{name}</th>
            <td>
              <i aria-hidden="true" style={{ inlineSize: `${Math.min(1, value / most) * 50}%` }} />
              <span>{duration(value)}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
