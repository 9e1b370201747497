import type { ReadonlySignal } from '@preact/signals';
import { number } from '../text/format';
import { words } from '../text/words';
import { bucketName, decimal, duration, share } from './format';
import type { Live } from './present';
import type { Metrics } from './wire';

/** The time that is shown in a few numbers. */
export function Figures({ metrics, live }: { metrics: Metrics; live: ReadonlySignal<Live> | undefined }) {
  const { total, peak, interval } = metrics;
  const { history } = words;
  return (
    <dl class="figures">
      {live && <Now live={live} />}
      <Figure name={history.occupancy} value={share(total.occupancy)} more={history.onAverage} testid="occupancy" />
      <Figure name={history.fullest} value={share(peak?.occupancy ?? null)} more={peak ? bucketName(peak.begin, interval, false) : ''} testid="peak" />
      <Figure name={history.stays} value={number(total.totalSessions)} more={history.staysMore(decimal(total.turnoverPerHour), decimal(total.sessionsPerSpot))} testid="stays" />
      <Figure name={history.median} value={duration(total.medianDwellTimeMinutes)} more={history.averageMore(duration(total.averageDwellTimeMinutes))} testid="median" />
      <Figure name={history.silent} value={share(total.silentShare)} more={history.silentMore} testid="silent" />
    </dl>
  );
}

/** It alone follows each change. */
function Now({ live }: { live: ReadonlySignal<Live> }) {
  const { share: part, occupied, offered } = live.value;
  return <Figure name={words.history.now} value={share(part)} more={words.history.nowMore(number(occupied), number(offered))} testid="now" />;
}

const Figure = ({ name, value, more, testid }: { name: string; value: string; more: string; testid: string }) => (
  <div data-figure={testid}>
    <dt>{name}</dt>
    <dd>
      <strong>{value}</strong>
      <span>{more}</span>
    </dd>
  </div>
);
