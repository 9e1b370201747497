import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import { setQuery } from '../ui/router';
import type { Floor } from './floors';

interface PlanControlsProps {
  readonly session: Session;
  readonly lotId: string;
  readonly floors: readonly Floor[];
  readonly level: string | undefined;
  /** Whether it is drawn as it lies; undefined: nobody said how. */
  readonly drawn: boolean | undefined;
  readonly zoom: number;
}

export const zooms = [1, 1.5, 2.25];

/** Which floor is shown, how it is drawn, and how large. */
export function PlanControls({ session, lotId, floors, level, drawn, zoom }: PlanControlsProps) {
  const { plan } = words;
  if (floors.length < 2 && drawn === undefined) return null;
  const scale = (step: number) => setQuery({ zoom: String(zooms[zooms.indexOf(zoom) + step] ?? zoom).replace(/^1$/, '') });
  return (
    <div class="plan-controls">
      {floors.length > 1 && (
        <div role="group" aria-label={plan.levels}>
          <button type="button" aria-pressed={level === undefined} onClick={() => setQuery({ level: undefined })}>{plan.allLevels}</button>
          {floors.map((floor) => (
            <button key={floor.key} type="button" aria-pressed={level === keyOf(floor)} onClick={() => setQuery({ level: keyOf(floor) })} data-level={keyOf(floor)}>
              {nameOf(floor)} <FloorFree session={session} lotId={lotId} floor={floor} />
            </button>
          ))}
        </div>
      )}
      {drawn !== undefined && (
        <div role="group" aria-label={plan.drawn}>
          <button type="button" aria-pressed={drawn} onClick={() => setQuery({ show: undefined })}>{plan.asItLies}</button>
          <button type="button" aria-pressed={!drawn} onClick={() => setQuery({ show: 'grid' })}>{plan.grid}</button>
        </div>
      )}
      {drawn && (
        <div role="group" aria-label={plan.size}>
          <button type="button" aria-disabled={zoom === zooms[0]} onClick={() => scale(-1)} aria-label={plan.smaller} title={plan.smaller}>−</button>
          <button type="button" aria-disabled={zoom === zooms.at(-1)} onClick={() => scale(1)} aria-label={plan.larger} title={plan.larger}>+</button>
        </div>
      )}
    </div>
  );
}

/** As it stands in the address. */
export const keyOf = ({ key }: Floor): string => key || 'none';

export function nameOf({ level, zones }: Floor): string {
  if (zones.length === 1) return zones[0]!.name || words.plan.withoutZone;
  return level === undefined ? words.plan.withoutLevel : words.plan.level(level);
}

function FloorFree({ session, lotId, floor }: { session: Session; lotId: string; floor: Floor }) {
  const free = floor.zones.reduce((sum, { id }) => sum + session.parking.countsOfZone(lotId, id).value.free, 0);
  return <small><b>{number(free)}</b> {words.common.status.free}</small>;
}
