import { useSignal } from '@preact/signals';
import { useAsked } from '../history/asked';
import { HistoryApi, spotStaysPath } from '../history/api';
import { dayAndTime, duration, timeOf } from '../history/format';
import { wall } from '../history/times';
import { Trouble } from '../history/Trouble';
import type { Stay, Stays as Answer } from '../history/wire';
import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { FileLink } from '../ui/FileLink';
import { useSettled } from './settled';

const days = 7;
const most = 5_000; // stays
const first = 10; // that are listed until more are wanted
const pace = 60_000; // milliseconds

/** Who stayed how long in the last week. */
export function Stays({ session, spotId, version }: { session: Session; spotId: string; version: number }) {
  const settled = useSettled(version);
  const asked = useAsked<Answer>(
    session,
    `${spotId} ${settled}`,
    (signal) => new HistoryApi(session.api).spotStays(spotId, { from: new Date(Date.now() - days * 86_400_000).toISOString(), limit: most }, signal),
    pace,
  );
  const answer = asked.answer.value;
  return (
    <section class="card-like stays" aria-labelledby="stays-title" data-testid="spot-stays">
      <h2 id="stays-title">{words.spot.stays}</h2>
      <Trouble of={asked} />
      {answer && <Figures answer={answer} />}
      {answer && <List stays={answer.items} />}
      {answer && (
        <p class="files">
          {words.history.asFile}{' '}
          {(['csv', 'parquet'] as const).map((format) => (
            <FileLink key={format} api={session.api} path={spotStaysPath(spotId)} query={{ from: answer.from, format }} name={`${spotId}.${format}`}>{words.spot.formats[format]}</FileLink>
          ))}
        </p>
      )}
    </section>
  );
}

function Figures({ answer: { statistics, ongoing } }: { answer: Answer }) {
  const { spot } = words;
  const dwell = statistics?.dwellTimeMinutes;
  return (
    <>
      {ongoing && (
        <p data-testid="ongoing">
          {spot.ongoing(dayAndTime(wall(ongoing.begin)), duration(Math.max(0, (clock.value - Date.parse(ongoing.begin)) / 60_000)))}
        </p>
      )}
      {statistics && statistics.totalSessions > 0 ? (
        <dl class="facts">
          <div><dt>{spot.completed}</dt><dd>{number(statistics.totalSessions)}</dd></div>
          <div><dt>{words.history.average}</dt><dd>{duration(dwell?.average ?? null)}</dd></div>
          <div><dt>{words.history.median}</dt><dd>{duration(dwell?.median ?? null)}</dd></div>
          <div><dt>{spot.longest}</dt><dd>{duration(dwell?.longest ?? null)}</dd></div>
        </dl>
      ) : (
        <p class="none">{words.history.noStays}</p>
      )}
      {statistics && statistics.incomplete > 0 && <p class="quiet">{spot.incomplete(statistics.incomplete)}</p>}
    </>
  );
}

/** The newest first. */
function List({ stays }: { stays: readonly Stay[] }) {
  const all = useSignal(false);
  const { spot } = words;
  if (stays.length === 0) return null;
  const newest = [...stays].reverse();
  const shown = all.value ? newest : newest.slice(0, first);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.history.tableOf(spot.stays)}>
        <table>
          <thead><tr><th scope="col">{spot.begin}</th><th scope="col">{spot.end}</th><th scope="col">{spot.length}</th></tr></thead>
          <tbody>
            {shown.map(({ begin, end, dwellTimeMinutes, completed, sameDay }) => (
              <tr key={begin}>
                <th scope="row">{dayAndTime(wall(begin))}</th>
                <td>{sameDay ? timeOf(wall(end)) : dayAndTime(wall(end))}</td>
                <td>{completed ? duration(dwellTimeMinutes) : spot.notSeen(duration(dwellTimeMinutes))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < newest.length && <button type="button" onClick={() => (all.value = true)}>{spot.allStays(newest.length)}</button>}
    </>
  );
}
