import type { Cell } from '../live/parking';
import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import type { ZoneOfBays } from './arrange';
import { Bay } from './Bay';
import { focusStep, keepStop } from './focus';

export interface ZoneProps {
  readonly session: Session;
  readonly lotId: string;
  readonly zone: ZoneOfBays;
  readonly name: string;
  readonly pick: (cell: Cell) => void;
}

/** The spots of a zone side by side, as nobody said where they are. */
export function ZoneGrid({ session, lotId, zone, name, pick }: ZoneProps) {
  return (
    <section class="zone" aria-label={name}>
      <h2>{name} <ZoneCounts session={session} lotId={lotId} zoneId={zone.id} /></h2>
      <div class="bays" onKeyDown={moveFocus} onFocusIn={keepStop}>
        {zone.bays.map(({ cell, label }, i) => <Bay key={cell.peek().spotId} cell={cell} label={label} stop={i === 0} pick={pick} />)}
      </div>
    </section>
  );
}

export function ZoneCounts({ session, lotId, zoneId }: { session: Session; lotId: string; zoneId: string }) {
  const { free, total } = session.parking.countsOfZone(lotId, zoneId).value;
  return <small><b>{number(free)}</b> {words.common.ofFree(total)}</small>;
}

/** Arrow keys go from bay to bay, by rows as they are laid out. */
function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }) {
  const bays = [...event.currentTarget.children] as HTMLElement[];
  const columns = bays.findIndex((bay) => bay.offsetTop > bays[0]!.offsetTop);
  const row = columns === -1 ? bays.length : columns;
  focusStep(event, bays, (from, dx, dy) => from + dx + dy * row);
}
