import { useSignal, type ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useMemo } from 'preact/hooks';
import type { Api } from '../live/api';
import { words } from '../text/words';
import { metricsPath } from './api';
import { Chart } from './Chart';
import { Downloads } from './Downloads';
import { bucketName, dayOfMonth, monthName, timeOf } from './format';
import type { Drawing, Present } from './options';
import { ticksOf, type Line, type Scale, type Tick } from './series';
import { Table, type Column } from './Table';
import { repeated } from './times';
import type { Bucket, Metrics } from './wire';

export interface ChartPanelProps {
  readonly api: Api;
  readonly metrics: Metrics;
  readonly title: string;
  /** What the chart shows, in a sentence, for those who do not see it. */
  readonly label: string;
  /** The same array as long as it is the same lines. */
  readonly lines: readonly Line[];
  readonly nameOf: (key: string) => string;
  readonly scale: Scale;
  readonly write: (value: number | null) => string;
  readonly columns: readonly Column<Bucket>[];
  readonly present?: () => Present | undefined;
  /** Beneath the title. */
  readonly children?: ComponentChildren;
}

const nothingLive = () => undefined;

/** A chart with what its lines are, the same as a table, and as files. */
export function ChartPanel({ api, metrics, title, label, lines, nameOf, scale, write, columns, present = nothingLive, children }: ChartPanelProps) {
  const id = useId();
  const picked = useSignal<number | undefined>(undefined);
  const { lotId, zoneId, interval, from, to, items } = metrics;
  const twice = useMemo(() => repeated(items.map(({ begin }) => begin)), [items]);
  const nameBucket = ({ begin }: Bucket) => bucketName(begin, interval, twice.has(begin));
  const drawing = useMemo<Drawing>(() => ({
    metrics, lines, scale, write, writeTick, present,
    ticks: (most) => ticksOf(items, interval, most),
    pick: (bucket) => (picked.value = bucket),
  }), [metrics, lines]);
  const known = items.some((bucket) => lines.some(({ of }) => of(bucket) !== null));
  return (
    <figure class="panel" aria-labelledby={id}>
      <figcaption>
        <h2 id={id}>{title}</h2>
        {children}
      </figcaption>
      {known ? (
        <>
          <Keys picked={picked} items={items} lines={lines} nameOf={nameOf} nameBucket={nameBucket} write={write} />
          <Chart drawing={drawing} label={label} />
        </>
      ) : (
        <p class="none">{words.history.nothing}</p>
      )}
      <footer>
        <Table what={title} head={words.history.time} rows={items} nameOf={nameBucket} columns={columns} />
        <Downloads api={api} path={metricsPath(lotId)} query={{ interval, from, to, zone: zoneId }} what={title} />
      </footer>
    </figure>
  );
}

interface KeysProps extends Pick<ChartPanelProps, 'lines' | 'nameOf' | 'write'> {
  readonly picked: ReadonlySignal<number | undefined>;
  readonly items: readonly Bucket[];
  readonly nameBucket: (bucket: Bucket) => string;
}

/** What the lines are, and how high they are where somebody points. */
function Keys({ picked, items, lines, nameOf, nameBucket, write }: KeysProps) {
  const bucket = picked.value === undefined ? undefined : items[picked.value];
  return (
    <ul class="keys">
      {lines.map(({ key, of }) => (
        <li key={key}>
          <i data-line={key} aria-hidden="true" />
          {nameOf(key)}
          {bucket && <b>{write(of(bucket))}</b>}
        </li>
      ))}
      {bucket && <li class="at">{nameBucket(bucket)}</li>}
    </ul>
  );
}

function writeTick({ as, wall }: Tick): string {
  switch (as) {
    case 'time': return timeOf(wall);
    case 'month': return monthName(wall);
    case 'date': return dayOfMonth(wall);
  }
}

