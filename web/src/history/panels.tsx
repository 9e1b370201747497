// The three charts of a lot's history: how full it was, how it was used, and how long people stayed.
import type { Api } from '../live/api';
import { number } from '../text/format';
import { words } from '../text/words';
import { ChartPanel } from './ChartPanel';
import { bucketName, decimal, duration, share } from './format';
import type { Present } from './options';
import { countSteps, durationSteps, extremes, highest, ofShares, scaleOf, type Line } from './series';
import type { Bucket, Metrics } from './wire';

interface PanelProps {
  readonly api: Api;
  readonly metrics: Metrics;
}

const occupied: Line = { key: 'occupancy', shape: 'steps', of: ({ occupancy }) => occupancy };
const silent: Line = { key: 'silent', shape: 'steps', of: ({ silentShare }) => silentShare };
const heard = [occupied];
const withSilence = [occupied, silent];
const uses: readonly Line[] = [
  { key: 'stays', shape: 'bars', of: ({ spots, totalSessions }) => (spots > 0 ? totalSessions : null) },
  { key: 'arrivals', shape: 'steps', of: ({ spots, arrivals }) => (spots > 0 ? arrivals : null) },
];
const lengths: readonly Line[] = [
  { key: 'median', shape: 'steps', of: ({ medianDwellTimeMinutes }) => medianDwellTimeMinutes },
  { key: 'average', shape: 'steps', of: ({ averageDwellTimeMinutes }) => averageDwellTimeMinutes },
];

const named = (metrics: Metrics, begin: string) => bucketName(begin, metrics.interval, false);
const spanOf = (metrics: Metrics) => words.history.span(named(metrics, metrics.items[0]?.begin ?? metrics.from), named(metrics, metrics.items.at(-1)?.begin ?? metrics.to));

/** How full it was. Where sensors were silent, that is drawn beside it: such time is in neither free nor occupied. */
export function OccupancyPanel({ api, metrics, present }: PanelProps & { readonly present: () => Present | undefined }) {
  const { history } = words;
  const found = extremes(metrics.items);
  const label = found
    ? history.occupancyLabel(spanOf(metrics), share(found.most.occupancy), named(metrics, found.most.begin), share(found.least.occupancy), named(metrics, found.least.begin))
    : history.nothing;
  return (
    <ChartPanel
      api={api}
      metrics={metrics}
      title={history.occupancy}
      label={label}
      lines={(metrics.total.silentShare ?? 0) > 0 ? withSilence : heard}
      nameOf={(key) => (key === 'silent' ? history.silent : history.occupiedShare)}
      scale={ofShares}
      write={share}
      present={present}
      columns={[
        { name: history.occupancy, of: ({ occupancy }) => share(occupancy) },
        { name: history.silent, of: ({ silentShare }) => share(silentShare) },
        { name: history.spots, of: ({ spots }) => decimal(spots) },
      ]}
    />
  );
}

/** How many came and went. */
export function TurnoverPanel({ api, metrics }: PanelProps) {
  const { history } = words;
  const { totalSessions, turnoverPerHour, sessionsPerSpot } = metrics.total;
  return (
    <ChartPanel
      api={api}
      metrics={metrics}
      title={history.turnover}
      label={history.turnoverLabel(spanOf(metrics), number(totalSessions), decimal(turnoverPerHour), decimal(sessionsPerSpot))}
      lines={uses}
      nameOf={(key) => (key === 'stays' ? history.staysEnded : history.arrivals)}
      scale={scaleOf(highest(metrics.items, ...uses.map(({ of }) => of)), countSteps)}
      write={(value) => (value === null ? decimal(null) : number(value))}
      columns={[
        { name: history.arrivals, of: ({ arrivals }) => number(arrivals) },
        { name: history.departures, of: ({ departures }) => number(departures) },
        { name: history.staysEnded, of: ({ totalSessions: stays }) => number(stays) },
        { name: history.perHour, of: (bucket: Bucket) => decimal(bucket.turnoverPerHour) },
        { name: history.perSpot, of: (bucket: Bucket) => decimal(bucket.sessionsPerSpot) },
      ]}
    />
  );
}

/** How long they stayed who left. */
export function LengthPanel({ api, metrics }: PanelProps) {
  const { history } = words;
  const { medianDwellTimeMinutes, averageDwellTimeMinutes } = metrics.total;
  return (
    <ChartPanel
      api={api}
      metrics={metrics}
      title={history.lengths}
      label={history.lengthsLabel(spanOf(metrics), duration(medianDwellTimeMinutes), duration(averageDwellTimeMinutes))}
      lines={lengths}
      nameOf={(key) => (key === 'median' ? history.median : history.average)}
      scale={scaleOf(highest(metrics.items, ...lengths.map(({ of }) => of)), durationSteps)}
      write={duration}
      columns={[
        { name: history.median, of: (bucket) => duration(bucket.medianDwellTimeMinutes) },
        { name: history.average, of: (bucket) => duration(bucket.averageDwellTimeMinutes) },
        { name: history.staysEnded, of: ({ totalSessions }) => number(totalSessions) },
      ]}
    />
  );
}
