import { useAsked } from '../history/asked';
import { HistoryApi, spotIntervalsPath } from '../history/api';
import { dayAndTime, dayName, duration, share, timeOf } from '../history/format';
import { offsetOf, wall, wallAt } from '../history/times';
import { Trouble } from '../history/Trouble';
import type { SpotIntervals } from '../history/wire';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { FileLink } from '../ui/FileLink';
import { Mark } from '../ui/Mark';
import { query, setQuery } from '../ui/router';
import { useSettled } from './settled';
import { hoursOf, piecesOf, sharesOf, strip, stripsByDay, type Piece, type Strip } from './strips';

const ranges = { day: 1, week: 7 } as const; // days
type Range = keyof typeof ranges;

const most = 5_000; // intervals
const pace = 60_000; // milliseconds

/** What it was in the last day or week: a strip of time, and the same as a table. */
export function Times({ session, spotId, version }: { session: Session; spotId: string; version: number }) {
  const range: Range = query.value.get('range') === 'week' ? 'week' : 'day';
  const settled = useSettled(version);
  const asked = useAsked<SpotIntervals & { range: Range }>(
    session,
    `${spotId} ${range} ${settled}`,
    async (signal) => {
      const from = new Date(Date.now() - ranges[range] * 86_400_000).toISOString();
      return { ...(await new HistoryApi(session.api).spotIntervals(spotId, { from, limit: most }, signal)), range };
    },
    pace,
  );
  const answer = asked.answer.value;
  const { spot } = words;
  return (
    <section class="card-like times" aria-labelledby="times-title">
      <header>
        <h2 id="times-title">{spot.times}</h2>
        <p class="switch" role="group" aria-label={words.history.rangeLabel}>
          {(Object.keys(ranges) as Range[]).map((each) => (
            <button key={each} type="button" aria-pressed={each === range} data-range={each} onClick={() => setQuery({ range: each === 'day' ? undefined : each })}>
              {words.history.range[each]}
            </button>
          ))}
        </p>
      </header>
      <Trouble of={asked} />
      {answer && <Answer session={session} answer={answer} />}
    </section>
  );
}

function Answer({ session, answer }: { session: Session; answer: SpotIntervals & { range: Range } }) {
  const { spot, common } = words;
  const pieces = piecesOf(answer.items, answer.from, answer.to, answer.asOf);
  const from = wall(answer.from);
  const to = wallAt(Date.parse(answer.asOf), answer.to);
  if (pieces.length === 0) return <p class="none">{words.history.nothing}</p>;
  const strips = answer.range === 'day' ? [strip(pieces, from, to)] : stripsByDay(pieces, from, to);
  return (
    <>
      <div class="strips" role="img" aria-label={spot.timesLabel(dayAndTime(from), dayAndTime(to))} data-testid="strips">
        {strips.map((each) => <StripRow key={each.from} strip={each} name={answer.range === 'week' ? dayName(each.from) : ''} />)}
      </div>
      <ul class="legend shares">
        {sharesOf(pieces).map(({ status, share: part, minutes }) => (
          <li key={status}><Mark status={status} /> <b>{share(part)}</b> {common.status[status]} ({duration(minutes)})</li>
        ))}
      </ul>
      <p class="quiet">{words.history.asOf(dayAndTime(to), answer.timeZone, offsetOf(answer.to))} {answer.next !== undefined && spot.timesCut}</p>
      <Pieces pieces={pieces} />
      <p class="files">
        {words.history.asFile}{' '}
        {(['csv', 'parquet'] as const).map((format) => (
          <FileLink key={format} api={session.api} path={spotIntervalsPath(answer.spotId)} query={{ from: answer.from, format }} name={`${answer.spotId}.${format}`}>
            {spot.formats[format]}
          </FileLink>
        ))}
      </p>
    </>
  );
}

function StripRow({ strip: { from, to, pieces }, name }: { strip: Strip; name: string }) {
  const part = (time: number) => `${((time / (to - from)) * 100).toFixed(3)}%`;
  return (
    <div class="strip">
      {name && <b>{name}</b>}
      <div>
        {pieces.map((piece) => (
          <i key={piece.begin} data-status={piece.status} style={{ insetInlineStart: part(piece.from - from), inlineSize: part(piece.to - piece.from) }} />
        ))}
      </div>
      <span>
        {hoursOf({ from, to }).map((hour) => <small key={hour} style={{ insetInlineStart: part(hour - from) }}>{timeOf(hour)}</small>)}
      </span>
    </div>
  );
}

/** The same as a table, the newest first. */
function Pieces({ pieces }: { pieces: readonly Piece[] }) {
  const { spot, common } = words;
  return (
    <details class="numbers">
      <summary>{words.history.asTable}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.history.tableOf(spot.times)}>
        <table>
          <thead><tr><th scope="col">{spot.begin}</th><th scope="col">{spot.end}</th><th scope="col">{words.table.columns.status}</th><th scope="col">{spot.length}</th></tr></thead>
          <tbody>
            {[...pieces].reverse().map(({ begin, end, from, to, turned, status }) => (
              <tr key={begin}>
                <th scope="row">{dayAndTime(from)}{turned && ` (${turned[0]})`}</th>
                <td>{dayAndTime(to)}{turned && ` (${turned[1]})`}</td>
                <td>{common.status[status]}</td>
                <td>{duration((end - begin) / 60_000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
