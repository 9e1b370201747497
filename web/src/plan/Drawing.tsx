import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { Cell } from '../live/shown';
import { words } from '../text/words';
import { useStop } from '../ui/stop';
import { useCutout } from '../ui/window';
import type { ZoneOfBays } from './arrange';
import { Bay } from './Bay';
import { bayWidth } from './floors';
import { stepFrom, type Layout } from './geometry';
import { arrows, toEnd } from './keys';
import { ZoneCounts, type BaysProps } from './ZoneGrid';

interface DrawingProps extends BaysProps {
  readonly zones: readonly ZoneOfBays[];
  readonly layout: Layout;
  /** How much larger it is to be than it fits. */
  readonly zoom: number;
  /** Whether only bays in sight are made, as the lot has so many. */
  readonly windowed: boolean;
}

/** Zones as they lie. It is as wide as there is room, as long as bays are neither too small to hit nor larger than they need be; then it is moved inside its frame. */
export function Drawing({ session, lotId, zones, layout, name, zoom, pick, picked, windowed }: DrawingProps) {
  const { width, height, bay, places } = layout;
  const share = width / bay.width;
  const cells = useMemo(() => zones.flatMap(({ bays }) => bays.map(({ cell }) => cell)), [zones]);
  const drawn = useRef<HTMLDivElement>(null);
  const active = useSignal<Cell | undefined>(undefined);
  const { stop, listeners } = useStop({
    list: drawn, items: cells, active, otherwise: 0,
    step: (key, from) => (arrows[key] ? stepFrom(places, from, ...arrows[key]) : toEnd(key, cells.length)),
  });
  const sight = useCutout(drawn, windowed, [layout, zoom]);
  const isMade = (i: number): boolean => {
    if (!windowed || i === stop || cells[i] === picked) return true;
    const { x, y } = places[i]!;
    return x > sight.left * width && x < sight.right * width && y > sight.top * height && y < sight.bottom * height;
  };
  let before = 0;
  return (
    <section class="zone" aria-label={name}>
      <h2>{name} {zones.length === 1 && <ZoneCounts session={session} lotId={lotId} zoneId={zones[0]!.id} />}</h2>
      {zones.length > 1 && (
        <ul class="drawn-zones">
          {zones.map((zone) => <li key={zone.id}>{zone.name || words.plan.withoutZone} <ZoneCounts session={session} lotId={lotId} zoneId={zone.id} /></li>)}
        </ul>
      )}
      <div class="drawing">
        <div
          class="drawn" data-testid="drawing" ref={drawn} {...listeners}
          style={{
            inlineSize: `calc(clamp(${Math.ceil(share * bayWidth.least)}px, 100%, ${Math.ceil(share * bayWidth.most)}px) * ${zoom})`,
            aspectRatio: `${width} / ${height}`, '--bay': (100 / share).toFixed(3),
            '--bay-width': percent(bay.width, width), '--bay-height': percent(bay.height, height),
          }}
        >
          {zones.map((zone) => {
            const first = before;
            before += zone.bays.length;
            return (
              <div key={zone.id} role="group" aria-label={zone.name || words.plan.withoutZone}>
                {zones.length > 1 && <i class="area" aria-hidden="true" style={around(places.slice(first, before), layout)}>{zone.name}</i>}
                {zone.bays.flatMap(({ cell, label }, i) => (isMade(first + i) ? (
                  <Bay
                    key={cell.peek().spotId} cell={cell} label={label} index={first + i} stop={first + i === stop} picked={cell === picked} pick={pick}
                    style={styleAt(places[first + i]!, layout)}
                  />
                ) : []))}
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

const percent = (part: number, whole: number) => `${((part / whole) * 100).toFixed(3)}%`;

const styleAt = ({ x, y }: Layout['places'][number], { width, height, bay }: Layout) =>
  `left: ${percent(x - bay.width / 2, width)}; top: ${percent(y - bay.height / 2, height)}`;

/** The ground of a zone: around its bays. */
function around(places: Layout['places'], { width, height, bay }: Layout) {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, top] = [xs.reduce((a, b) => Math.min(a, b), Infinity) - bay.width * 0.6, ys.reduce((a, b) => Math.min(a, b), Infinity) - bay.height * 0.6];
  const [right, bottom] = [xs.reduce((a, b) => Math.max(a, b), 0) + bay.width * 0.6, ys.reduce((a, b) => Math.max(a, b), 0) + bay.height * 0.6];
  return { left: `${(left / width) * 100}%`, top: `${(top / height) * 100}%`, width: `${((right - left) / width) * 100}%`, height: `${((bottom - top) / height) * 100}%` };
}
