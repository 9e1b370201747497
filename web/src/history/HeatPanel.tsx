import { useId } from 'preact/hooks';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { setQuery } from '../ui/router';
import { heatmapPath, type HistoryApi } from './api';
import { useAsked } from './asked';
import { Downloads } from './Downloads';
import { fullDay, timeOf } from './format';
import { together } from './heat';
import { HeatTable, Shades } from './HeatTable';
import { wall } from './times';
import { Trouble } from './Trouble';
import { measures, pace, parametersOf, spans, weeksOf, type Measure, type View } from './view';
import type { Heatmap } from './wire';

interface HeatProps {
  readonly session: Session;
  readonly history: HistoryApi;
  readonly lotId: string;
  readonly view: View;
  readonly today: string;
}

const seldom = 600_000; // milliseconds: a week more or less of a few changes little

/** What is usual at each hour of the week. */
export function HeatPanel({ session, history, lotId, view, today }: HeatProps) {
  const id = useId();
  const { zone, on, span, measure } = view;
  const asked = useAsked(
    session,
    JSON.stringify([lotId, on, span, zone]),
    (signal) => history.heatmap(lotId, { ...weeksOf(view, Date.now()), zone }, signal),
    pace(view, today) && seldom,
  );
  const answer = asked.answer.value;
  return (
    <section class="panel" aria-labelledby={id} aria-busy={asked.busy.value} data-testid="heatmap">
      <header>
        <h2 id={id}>{words.history.heatmap}</h2>
        <HeatChoice view={view} />
      </header>
      <Trouble of={asked} />
      {answer && (
        <>
          <p class="quiet">{words.history.heatmapOf(fullDay(wall(answer.from)), fullDay(wall(answer.to) - 1))} <PeakHours answer={answer} measure={measure} /></p>
          <HeatTable answer={answer} measure={measure} />
          <footer>
            <Shades answer={answer} measure={measure} />
            <Downloads api={session.api} path={heatmapPath(lotId)} query={{ from: answer.from, to: answer.to, zone }} what={words.history.heatmap} />
          </footer>
        </>
      )}
    </section>
  );
}

function HeatChoice({ view }: { view: View }) {
  const { history } = words;
  const show = (change: Partial<View>) => setQuery(parametersOf({ ...view, ...change }));
  return (
    <div class="controls">
      <label>
        <span class="unseen">{history.measureLabel}</span>
        <select value={view.measure} onChange={(event) => show({ measure: measures.find((each) => each === event.currentTarget.value) ?? 'occupancy' })} data-testid="measure">
          {measures.map((each) => <option key={each} value={each}>{history.measure[each]}</option>)}
        </select>
      </label>
      <label>
        <span class="unseen">{history.spanLabel}</span>
        <select value={String(view.span)} onChange={(event) => show({ span: spans.find((each) => String(each) === event.currentTarget.value) ?? 4 })}>
          {spans.map((each) => <option key={each} value={String(each)}>{history.weeks(each)}</option>)}
        </select>
      </label>
    </div>
  );
}

function PeakHours({ answer: { peakHours }, measure }: { answer: Heatmap; measure: Measure }) {
  if (measure !== 'occupancy' || peakHours.length === 0) return null;
  const hour = (n: number) => timeOf(n * 3_600_000);
  return <span data-testid="peak-hours">{words.history.peakHours(together(peakHours).map(({ from, to }) => words.history.hours(hour(from), hour(to))))}</span>;
}
