import type { Cell } from '../live/parking';
import type { Session } from '../live/session';
import { words } from '../text/words';
import type { ZoneOfBays } from './arrange';
import { Bay } from './Bay';
import { bayWidth } from './floors';
import { focusStep, keepStop } from './focus';
import { stepFrom, type Layout } from './geometry';
import { ZoneCounts } from './ZoneGrid';

interface DrawingProps {
  readonly session: Session;
  readonly lotId: string;
  readonly zones: readonly ZoneOfBays[];
  readonly layout: Layout;
  readonly name: string;
  /** How much larger it is to be than it fits. */
  readonly zoom: number;
  readonly pick: (cell: Cell) => void;
}

/** Zones as they lie. It is as wide as there is room, as long as bays are neither too small to hit nor larger than they need be; then it is moved inside its frame. */
export function Drawing({ session, lotId, zones, layout, name, zoom, pick }: DrawingProps) {
  const { width, height, bay, places } = layout;
  const share = width / bay.width;
  const percent = (part: number, whole: number) => `${((part / whole) * 100).toFixed(3)}%`;
  const box = { width: percent(bay.width, width), height: percent(bay.height, height) };
  const move = (event: KeyboardEvent & { currentTarget: HTMLElement }) =>
    focusStep(event, [...event.currentTarget.querySelectorAll<HTMLElement>('.bay')], (from, dx, dy) => stepFrom(places, from, dx, dy));
  let before = 0;
  return (
    <section class="zone" aria-label={name}>
      <h2>{name} {zones.length === 1 && <ZoneCounts session={session} lotId={lotId} zoneId={zones[0]!.id} />}</h2>
      {zones.length > 1 && (
        <ul class="drawn-zones">
          {zones.map((zone) => <li key={zone.id}>{zone.name || words.plan.withoutZone} <ZoneCounts session={session} lotId={lotId} zoneId={zone.id} /></li>)}
        </ul>
      )}
      <div class="drawing" onKeyDown={move} onFocusIn={keepStop}>
        <div
          class="drawn" data-testid="drawing"
          style={{
            inlineSize: `calc(clamp(${Math.ceil(share * bayWidth.least)}px, 100%, ${Math.ceil(share * bayWidth.most)}px) * ${zoom})`,
            aspectRatio: `${width} / ${height}`, '--bay': (100 / share).toFixed(3),
          }}
        >
          {zones.map((zone) => {
            const first = before;
            before += zone.bays.length;
            const its = places.slice(first, before);
            return (
              <div key={zone.id} role="group" aria-label={zone.name || words.plan.withoutZone}>
                {zones.length > 1 && <i class="area" aria-hidden="true" style={around(its, layout)}>{zone.name}</i>}
                {zone.bays.map(({ cell, label }, i) => (
                  <Bay
                    key={cell.peek().spotId} cell={cell} label={label} stop={first + i === 0} pick={pick}
                    style={{ ...box, left: percent(its[i]!.x - bay.width / 2, width), top: percent(its[i]!.y - bay.height / 2, height) }}
                  />
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** The ground of a zone: around its bays. */
function around(places: Layout['places'], { width, height, bay }: Layout) {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, top] = [xs.reduce((a, b) => Math.min(a, b), Infinity) - bay.width * 0.6, ys.reduce((a, b) => Math.min(a, b), Infinity) - bay.height * 0.6];
  const [right, bottom] = [xs.reduce((a, b) => Math.max(a, b), 0) + bay.width * 0.6, ys.reduce((a, b) => Math.max(a, b), 0) + bay.height * 0.6];
  return { left: `${(left / width) * 100}%`, top: `${(top / height) * 100}%`, width: `${((right - left) / width) * 100}%`, height: `${((bottom - top) / height) * 100}%` };
}
