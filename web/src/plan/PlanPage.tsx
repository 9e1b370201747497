import { useComputed, useSignal, useSignalEffect, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Cell } from '../live/parking';
import type { Session } from '../live/session';
import type { LotPageProps } from '../shell/pages';
import { number, percent } from '../text/format';
import { words } from '../text/words';
import { arrange, type ZoneOfBays } from './arrange';
import { Bay } from './Bay';
import { Legend } from '../ui/Legend';
import { ease } from '../ui/LotCard';
import { Proportion } from '../ui/Proportion';
import { cityPath } from '../ui/router';
import { SpotDetail } from '../ui/SpotDetail';

const many = 150; // spots, from which on they are drawn smaller

/** One lot: its counts and all its spots. Only what changes with every event reads the counts, as drawing the whole grid takes long. */
export default function PlanPage({ session, lot }: LotPageProps) {
  const { parking } = session;
  const zones = useComputed(() => arrange(parking, lot.id));
  const picked = useSignal<Cell | undefined>(undefined);
  const lacksZone = useComputed(() => parking.lacksZone(lot.id));

  useEffect(() => void session.fetchZones(lot.id), [session, lot.id]);
  useSignalEffect(() => {
    if (lacksZone.value) void session.fetchZones(lot.id); // one was added
  });

  const total = zones.value.reduce((sum, zone) => sum + zone.bays.length, 0);
  return (
    <article class="lot" data-density={total > many ? 'dense' : 'roomy'}>
      <LotHead session={session} lot={lot} />
      {zones.value.map((zone) => (
        <Zone key={zone.id} session={session} lot={lot} zone={zone} alone={zones.value.length === 1} pick={(cell) => (picked.value = cell)} />
      ))}
      {total === 0 && (
        <p class="none">{words.plan.noSpots}</p>
      )}
      <Picked session={session} picked={picked} />
    </article>
  );
}

function LotHead({ session, lot }: LotPageProps) {
  const counts = session.parking.countsOfLot(lot.id).value;
  return (
    <header data-ease={ease(counts)}>
      <a class="back" href={cityPath()}>{words.common.allLots}</a>
      <h1 tabIndex={-1}>{lot.name}</h1>
      {lot.address && <p class="address">{lot.address}</p>}
      <p class="free">
        <strong>{number(counts.free)}</strong> <span>{words.common.freeOf(counts.total)}</span>
        <span class="share">{percent(counts.free, counts.total)}</span>
      </p>
      <Proportion counts={counts} />
      <Legend counts={counts} />
    </header>
  );
}

function Picked({ session, picked }: { session: Session; picked: Signal<Cell | undefined> }) {
  return picked.value ? <SpotDetail session={session} cell={picked.value} close={() => (picked.value = undefined)} /> : null;
}

interface ZoneProps extends LotPageProps {
  readonly zone: ZoneOfBays;
  readonly alone: boolean;
  readonly pick: (cell: Cell) => void;
}

function Zone({ session, lot, zone, alone, pick }: ZoneProps) {
  const name = zone.name || (alone ? words.plan.spots : words.plan.withoutZone);
  return (
    <section class="zone" aria-label={name}>
      <h2>
        {name} <ZoneCounts session={session} lotId={lot.id} zoneId={zone.id} />
      </h2>
      <div class="bays" onKeyDown={moveFocus} onFocusIn={keepStop}>
        {zone.bays.map(({ cell, label }, i) => (
          <Bay key={cell.peek().spotId} cell={cell} label={label} stop={i === 0} pick={pick} />
        ))}
      </div>
    </section>
  );
}

function ZoneCounts({ session, lotId, zoneId }: { session: Session; lotId: string; zoneId: string }) {
  const { free, total } = session.parking.countsOfZone(lotId, zoneId).value;
  return (
    <small>
      <b>{number(free)}</b> {words.common.ofFree(total)}
    </small>
  );
}

/** Arrow keys go from bay to bay, by rows as they are laid out. */
function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }) {
  const bays = [...event.currentTarget.children] as HTMLElement[];
  const from = bays.indexOf(document.activeElement as HTMLElement);
  const columns = bays.findIndex((bay) => bay.offsetTop > bays[0]!.offsetTop);
  const row = columns === -1 ? bays.length : columns;
  const steps: Record<string, number> = {
    ArrowLeft: from - 1, ArrowRight: from + 1, ArrowUp: from - row, ArrowDown: from + row, Home: 0, End: bays.length - 1,
  };
  const to = bays[steps[event.key] ?? -1];
  if (from === -1 || !to) return;
  event.preventDefault();
  to.focus();
}

/** The bay that had the focus last is the one to which the tabulator key returns. */
function keepStop(event: FocusEvent & { currentTarget: HTMLElement }) {
  for (const bay of event.currentTarget.querySelectorAll<HTMLElement>('[tabindex="0"]')) bay.tabIndex = -1;
  (event.target as HTMLElement).tabIndex = 0;
}
