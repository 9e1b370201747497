// How uPlot is to draw. It asks for colours each time that it draws, so that a theme needs no new chart.
import type uPlot from 'uplot';
import { bucketAt, type Line, type Scale, type Tick } from './series';
import type { Metrics } from './wire';

/** A share that holds at a moment. */
export interface Present {
  readonly at: number;
  readonly value: number;
}

/** What a chart shows. */
export interface Drawing {
  readonly metrics: Metrics;
  readonly lines: readonly Line[];
  readonly scale: Scale;
  /** Writes a value on the axis. */
  readonly write: (value: number) => string;
  readonly ticks: (most: number) => readonly Tick[];
  readonly writeTick: (tick: Tick) => string;
  /** What is live, if the present is shown. */
  readonly present: () => Present | undefined;
  /** Called with the bucket to which somebody points. */
  readonly pick: (bucket: number | undefined) => void;
}

/** Whether there are so many buckets that lines must be thin. */
export const isDense = ({ metrics: { items } }: Drawing): boolean => items.length > 100;

const roomOfTick = 6.5; // characters
const dashes: Record<string, number[]> = { silent: [2, 4], average: [6, 4], arrivals: [3, 3] };

/** The options for a drawing that may be another one each time that it is drawn; only its lines stay. */
export function optionsOf(latest: () => Drawing, figure: HTMLElement): Omit<uPlot.Options, 'width' | 'height'> {
  const styleOf = (key: string) => getComputedStyle(figure.querySelector(`[data-line="${key}"]`) ?? figure);
  const style = () => getComputedStyle(figure);
  const size = () => Math.round(parseFloat(style().fontSize)) || 12; // uPlot reads whole ones alone
  const ink = () => style().color;
  const rule = { stroke: () => style().borderTopColor, width: 1 };
  const font = `${size()}px ${style().fontFamily}`; // uPlot takes a font once

  return {
    ms: 1,
    padding: [size(), size(), 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: () => boundsOf(latest().metrics) },
      y: { range: () => [0, latest().scale.top] },
    },
    axes: [
      {
        stroke: ink, font, grid: { show: false }, ticks: { ...rule, size: 5 }, border: { ...rule, show: true },
        size: size() * 2.4,
        splits: (u) => latest().ticks(Math.floor(u.width / (size() * roomOfTick))).map(({ at }) => at),
        values: (u, splits) => {
          const { ticks, writeTick } = latest();
          const known = new Map(ticks(Math.floor(u.width / (size() * roomOfTick))).map((tick) => [tick.at, writeTick(tick)]));
          return splits.map((at) => known.get(at) ?? null);
        },
      },
      {
        stroke: ink, font, grid: rule, ticks: { show: false },
        size: (_, values) => Math.max(1, ...(values ?? []).map((value) => String(value ?? '').length)) * size() * 0.58 + 12,
        splits: () => {
          const { top, every } = latest().scale;
          return Array.from({ length: Math.round(top / every) + 1 }, (_, i) => i * every);
        },
        values: (_, splits) => splits.map((value) => latest().write(value)),
      },
    ],
    series: [
      {},
      ...latest().lines.map(({ key, shape }): uPlot.Series => ({
        stroke: () => styleOf(key).color,
        fill: () => styleOf(key).backgroundColor,
        width: shape === 'bars' ? 0 : isDense(latest()) ? 1 : 2,
        dash: dashes[key] ?? [],
        points: { show: false },
      })),
    ],
    hooks: {
      setCursor: [(u) => latest().pick(typeof u.cursor.idx === 'number' ? bucketAt(u.cursor.idx) : undefined)],
      draw: [(u) => drawPresent(u, latest().present(), ink(), styleOf('occupancy').color)],
    },
  };
}

function boundsOf({ items, from, to }: Metrics): [number, number] {
  return [Date.parse(items[0]?.begin ?? from), Date.parse(items.at(-1)?.end ?? to)];
}

/** A dot where things stand now. */
function drawPresent(u: uPlot, present: Present | undefined, outline: string, colour: string): void {
  const { min, max } = u.scales.x ?? {};
  if (!present || min === undefined || max === undefined || present.at < min || present.at > max) return;
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.arc(u.valToPos(present.at, 'x', true), u.valToPos(present.value, 'y', true), 4.5 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.strokeStyle = outline;
  ctx.stroke();
  ctx.restore();
}
