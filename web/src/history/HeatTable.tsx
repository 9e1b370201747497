import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { words } from '../text/words';
import { decimal, duration, share, timeOf, weekday } from './format';
import { cellsOf, shades, topOf, type Cell } from './heat';
import type { Measure } from './view';
import type { Heatmap } from './wire';

interface HeatProps {
  readonly answer: Heatmap;
  readonly measure: Measure;
}

const days = [1, 2, 3, 4, 5, 6, 7];
const hours = Array.from({ length: 24 }, (_, hour) => hour);
const wide = '(min-width: 1060px)'; // from which on 24 hours stand beside each other

/** The hours of a week as a table whose cells are shaded: it is the same for those who see it and those who hear it. On narrow screens hours go down. */
export function HeatTable({ answer, measure }: HeatProps) {
  const across = useMatch(wide).value;
  const cells = cellsOf(answer, measure);
  const peaks = new Set(measure === 'occupancy' ? answer.peakHours : []);
  const cellOf = (day: number, hour: number) => <HeatCell key={`${day} ${hour}`} cell={cells[day - 1]?.[hour]} measure={measure} />;
  return (
    <table class="heat" data-way={across ? 'across' : 'down'}>
      <caption class="unseen">{words.history.heatmapCaption(words.history.measure[measure])}</caption>
      <thead>
        <tr>
          <th scope="col"><span class="unseen">{across ? words.history.weekday : words.history.hour}</span></th>
          {across ? hours.map((hour) => <HourHead key={hour} hour={hour} peak={peaks.has(hour)} scope="col" />) : days.map((day) => <DayHead key={day} day={day} short scope="col" />)}
        </tr>
      </thead>
      <tbody>
        {across
          ? days.map((day) => <tr key={day}><DayHead day={day} scope="row" />{hours.map((hour) => cellOf(day, hour))}</tr>)
          : hours.map((hour) => <tr key={hour}><HourHead hour={hour} peak={peaks.has(hour)} scope="row" />{days.map((day) => cellOf(day, hour))}</tr>)}
      </tbody>
    </table>
  );
}

const DayHead = ({ day, scope, short = false }: { day: number; scope: 'row' | 'col'; short?: boolean }) => <th scope={scope} abbr={weekday(day)}>{weekday(day, short)}</th>;

const HourHead = ({ hour, peak, scope }: { hour: number; peak: boolean; scope: 'row' | 'col' }) => (
  <th scope={scope} data-peak={peak || undefined}>
    {String(hour).padStart(2, '0')}
    <span class="unseen">:00{peak && `, ${words.history.peak}`}</span>
  </th>
);

function HeatCell({ cell, measure }: { cell: Cell | undefined; measure: Measure }) {
  if (!cell || cell.lack) {
    const why = cell?.lack === 'silent' ? words.history.allSilent : words.history.nothingKnown;
    return <td data-lack={cell?.lack ?? 'none'} title={why}><span aria-hidden="true">{cell?.lack === 'silent' ? '?' : '·'}</span><span class="unseen">{why}</span></td>;
  }
  const { weekday: day, hour, occupancy, silentShare } = cell.hour;
  const from = timeOf(hour * 3_600_000), to = timeOf((hour + 1) * 3_600_000);
  return <td data-shade={cell.shade} title={words.history.cell(weekday(day), words.history.hours(from, to), share(occupancy), share(silentShare))}>{short(cell.value, measure)}</td>;
}

/** Cells have room for three figures; the unit is said above. */
function short(value: number | null, measure: Measure): string {
  if (value === null) return '';
  switch (measure) {
    case 'occupancy': case 'silent': return String(Math.round(value * 100));
    case 'turnover': return decimal(value < 10 ? value : Math.round(value));
    case 'stay': return decimal(Math.round(value));
  }
}

/** What the shades stand for. */
export function Shades({ answer, measure }: HeatProps) {
  const top = topOf(answer, measure);
  const write = (value: number) => ({ occupancy: share, silent: share, turnover: decimal, stay: duration }[measure])(value);
  return (
    <p class="shades">
      {write(0)}
      <span aria-hidden="true">{Array.from({ length: shades }, (_, shade) => <i key={shade} data-shade={shade} />)}</span>
      {write(top)}
    </p>
  );
}

/** Whether the window is as a media query wants. */
function useMatch(media: string) {
  const matches = useSignal(matchMedia(media).matches);
  useEffect(() => {
    const list = matchMedia(media);
    const follow = () => (matches.value = list.matches);
    list.addEventListener('change', follow);
    return () => list.removeEventListener('change', follow);
  }, [media]);
  return matches;
}
