import { isStatus } from '../live/wire';
import { fullTime, shortTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { Mark } from '../ui/Mark';
import { keyOf, type Trail } from './trail';
import type { Entry } from './wire';

/** What happened to it, by whom, and when it was seen and known, by the clocks of its lot. */
export function TrailList({ trail, timeZone }: { trail: Trail; timeZone: string | undefined }) {
  const entries = trail.entries.value ?? [];
  const problem = trail.problem.value && words.common.problem(trail.problem.value);
  const { spot, common } = words;
  return (
    <section class="card-like" aria-labelledby="trail-title">
      <h2 id="trail-title">{spot.trail}</h2>
      {problem && (
        <p class="trouble" role="status">
          <span><b>{problem.title}</b> {problem.detail}</span>
          <button type="button" onClick={() => void trail.refresh()}>{common.tryNow}</button>
        </p>
      )}
      {trail.entries.value?.length === 0 && <p class="none">{spot.nothingHappened}</p>}
      <ol class="trail" data-testid="trail">
        {entries.map((entry) => <Line key={keyOf(entry)} entry={entry} timeZone={timeZone} />)}
      </ol>
      {trail.next.value !== undefined && (
        <button type="button" aria-disabled={trail.busy.value} onClick={() => void trail.older()}>{spot.older}</button>
      )}
    </section>
  );
}

function Line({ entry, timeZone }: { entry: Entry; timeZone: string | undefined }) {
  const { spot, common } = words;
  const isLate = entry.change === 'late_reading';
  const recorded = Date.parse(entry.recordedAt);
  return (
    <li data-testid="trail-entry" data-change={entry.change} data-late={isLate || undefined}>
      <Mark status={isStatus(entry.status) ? entry.status : 'unknown'} />
      <p>
        <b>{isLate ? spot.lateReading(common.statusText(entry.status)) : common.happened({ spotId: '', timestamp: '', status: entry.status, change: entry.change })}</b>{' '}
        <span class="by">{[spot.source[entry.source] ?? entry.source, entry.by, seen(entry, timeZone)].filter(Boolean).join(' · ')}</span>
      </p>
      <time dateTime={entry.recordedAt} title={fullTime(recorded, timeZone)}>{shortTime(recorded, clock.value, timeZone)}</time>
    </li>
  );
}

/** When it was seen, where that was noticeably before it was known. */
function seen({ observedAt, recordedAt }: Entry, timeZone: string | undefined): string {
  if (observedAt === undefined || Date.parse(recordedAt) - Date.parse(observedAt) < 2_000) return '';
  return words.spot.seenAt(shortTime(Date.parse(observedAt), Date.parse(recordedAt), timeZone));
}
