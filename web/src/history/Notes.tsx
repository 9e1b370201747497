import { number } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { dayAndTime, fullDay, share } from './format';
import { offsetOf, wallAt } from './times';
import type { Metrics } from './wire';

const late = 120_000; // milliseconds, from which on the service counts as behind

/** What one must know of the numbers: up to when they reach, by whose clocks, and what is not in them. */
export function Notes({ metrics, following }: { metrics: Metrics; following: boolean }) {
  const { asOf, to, timeZone, keptFrom, missing, from, total } = metrics;
  const { history } = words;
  const known = Date.parse(asOf);
  const behind = following && clock.value - known > late;
  const silence = total.silentShare ?? 0;
  return (
    <div class="notes">
      <p class="quiet" data-testid="history-as-of">{history.asOf(dayAndTime(wallAt(known, to)), timeZone, offsetOf(to))}</p>
      {behind && <p class="warning" role="status">{history.behind(dayAndTime(wallAt(known, to)))}</p>}
      {silence > 0 && <p data-testid="silence">{history.silence(share(silence))}</p>}
      {keptFrom !== undefined && Date.parse(keptFrom) > Date.parse(from) && <p>{history.keptFrom(fullDay(wallAt(Date.parse(keptFrom), to)))}</p>}
      {missing !== undefined && <p>{history.missing(number(missing))}</p>}
    </div>
  );
}
