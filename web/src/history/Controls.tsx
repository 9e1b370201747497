import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import { inOrder } from '../text/labels';
import { words } from '../text/words';
import { setQuery } from '../ui/router';
import { isDate } from './times';
import { earlier, later, parametersOf, ranges, type View } from './view';

interface ControlsProps {
  readonly session: Session;
  readonly lot: Lot;
  readonly view: View;
  /** The present day, by the clocks of the lot. */
  readonly today: string;
}

const show = (view: View) => setQuery(parametersOf(view));

/** What is to be looked at: how long a time, up to which day, of which zone. */
export function Controls({ session, lot, view, today }: ControlsProps) {
  const { history } = words;
  return (
    <div class="controls" data-testid="history-controls">
      <div class="ranges" role="group" aria-label={history.rangeLabel}>
        {ranges.map((range) => (
          <button key={range} type="button" aria-pressed={view.range === range} data-range={range} onClick={() => show({ ...view, range })}>{history.range[range]}</button>
        ))}
      </div>
      {view.range !== 'hour' && <Days view={view} today={today} />}
      <Zones session={session} lot={lot} view={view} />
    </div>
  );
}

function Days({ view, today }: { view: View; today: string }) {
  const { history } = words;
  const choose = (date: string) => show({ ...view, on: isDate(date) && date < today ? date : undefined });
  return (
    <div class="days" role="group" aria-label={history.lastDay}>
      <button type="button" aria-label={history.earlier} title={history.earlier} onClick={() => show(earlier(view, today))}>‹</button>
      <input type="date" aria-label={history.lastDay} max={today} value={view.on ?? today} onChange={(event) => choose(event.currentTarget.value)} />
      <button type="button" aria-label={history.later} title={history.later} aria-disabled={view.on === undefined} onClick={() => show(later(view, today))}>›</button>
      {view.on !== undefined && <button type="button" onClick={() => show({ ...view, on: undefined })}>{history.toPresent}</button>}
    </div>
  );
}

/** Nothing to choose from where there are no zones. */
function Zones({ session, lot, view }: Omit<ControlsProps, 'today'>) {
  const zones = session.parking.zonesOfLot(lot.id).value;
  if (zones.length === 0 && view.zone === undefined) return null;
  const inLine = [...zones].sort((a, b) => (a.level ?? 0) - (b.level ?? 0) || inOrder(a.name, b.name));
  const chosen = view.zone ?? '';
  return (
    <select aria-label={words.history.zone} value={chosen} onChange={(event) => show({ ...view, zone: event.currentTarget.value || undefined })} data-testid="history-zone">
      <option value="">{words.history.wholeLot}</option>
      {inLine.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
      {chosen !== '' && !zones.some(({ id }) => id === chosen) && <option value={chosen}>{chosen}</option>}
    </select>
  );
}
