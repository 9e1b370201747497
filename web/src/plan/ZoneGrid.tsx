import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { Cell } from '../live/shown';
import type { Session } from '../live/session';
import { direction } from '../shell/settings';
import { number } from '../text/format';
import { words } from '../text/words';
import { useStop } from '../ui/stop';
import { columnsOf, useGridWindow } from '../ui/window';
import type { BayOf, ZoneOfBays } from './arrange';
import { Bay } from './Bay';
import { arrows, toEnd } from './keys';

/** What a list of bays needs. */
export interface BaysProps {
  readonly session: Session;
  readonly lotId: string;
  readonly name: string;
  readonly pick: (cell: Cell) => void;
  readonly picked: Cell | undefined;
}

export interface ZoneProps extends BaysProps {
  readonly zone: ZoneOfBays;
  /** Whether only bays in sight are made, as the lot has so many. */
  readonly windowed: boolean;
}

/** The spots of a zone side by side, as nobody said where they are. */
export function ZoneGrid({ session, lotId, zone, name, windowed, ...bays }: ZoneProps) {
  const Bays = windowed ? BaysInSight : AllBays;
  return (
    <section class="zone" aria-label={name}>
      <h2>{name} <ZoneCounts session={session} lotId={lotId} zoneId={zone.id} /></h2>
      <Bays bays={zone.bays} {...bays} />
    </section>
  );
}

export function ZoneCounts({ session, lotId, zoneId }: { session: Session; lotId: string; zoneId: string }) {
  const { free, total } = session.parking.countsOfZone(lotId, zoneId).value;
  return <small><b>{number(free)}</b> {words.common.ofFree(total)}</small>;
}

type GridProps = Pick<BaysProps, 'pick' | 'picked'> & { readonly bays: readonly BayOf[] };

function AllBays({ bays, pick, picked }: GridProps) {
  const { list, stop, listeners } = useGrid(bays);
  return (
    <div class="bays" ref={list} {...listeners}>
      {bays.map(({ cell, label }, i) => <Bay key={cell.peek().spotId} cell={cell} label={label} index={i} stop={i === stop} picked={cell === picked} pick={pick} />)}
    </div>
  );
}

/** Each in its place of the grid; those that are not in sight leave it empty. */
function BaysInSight({ bays, pick, picked }: GridProps) {
  const { list, stop, listeners } = useGrid(bays);
  const { columns, from, to } = useGridWindow(list, bays.length);
  const shown = columns === undefined ? [] : bays.flatMap((bay, i) => ((i >= from && i < to) || i === stop || bay.cell === picked ? [{ ...bay, i }] : []));
  return (
    <div class="bays" ref={list} {...listeners} style={columns === undefined ? {} : { gridTemplateRows: `repeat(${Math.ceil(bays.length / columns)}, var(--bay-height))` }}>
      {shown.map(({ cell, label, i }) => (
        <Bay
          key={cell.peek().spotId} cell={cell} label={label} index={i} stop={i === stop} picked={cell === picked} pick={pick}
          style={`grid-area: ${Math.floor(i / columns!) + 1} / ${(i % columns!) + 1}`}
        />
      ))}
    </div>
  );
}

/** Arrow keys go from bay to bay, by rows as they are laid out. */
function useGrid(bays: readonly BayOf[]) {
  const list = useRef<HTMLDivElement>(null);
  const cells = useMemo(() => bays.map(({ cell }) => cell), [bays]);
  const active = useSignal<Cell | undefined>(undefined);
  const { stop, listeners } = useStop({
    list, items: cells, active, otherwise: 0,
    step: (key, from) => {
      const arrow = arrows[key];
      if (!arrow) return toEnd(key, bays.length);
      const [dx, dy] = arrow;
      return dy === 0 ? from + (direction.peek() === 'rtl' ? -dx : dx) : from + dy * columnsOf(list.current!);
    },
  });
  return { list, stop, listeners };
}
