import { useComputed } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Cell } from '../live/shown';
import type { Session } from '../live/session';
import type { LotPageProps } from '../shell/pages';
import { kiosk } from '../shell/settings';
import { number, percent } from '../text/format';
import { words } from '../text/words';
import { Legend } from '../ui/Legend';
import { ease } from '../ui/LotCard';
import { Proportion } from '../ui/Proportion';
import { Loading } from '../ui/Notices';
import { usePacedInTurns } from '../ui/pace';
import { cityPath, query, setQuery } from '../ui/router';
import { SpotDetail } from '../ui/SpotDetail';
import { useZones } from '../ui/zones';
import { watchArrangement } from './arrange';
import { Drawing } from './Drawing';
import { asGrids, canDraw, floorsOf, type Floor } from './floors';
import { keyOf, nameOf, PlanControls, zooms } from './PlanControls';
import { ZoneGrid } from './ZoneGrid';
import './plan.css';

/** Spots, from which on they are drawn smaller in a grid, and from which on only those in sight are made. */
const many = 150;
const tooMany = 600;

const none: readonly Floor[] = [];

/** Shows more of a spot, or no more of the one of which it is shown. */
const pick = (cell: Cell) => {
  const { spotId } = cell.peek();
  setQuery({ spot: query.peek().get('spot') === spotId ? undefined : spotId });
};

/** One lot: its counts and all its spots. Only what changes with every event reads the counts, as drawing all bays takes long. */
export default function PlanPage({ session, lot }: LotPageProps) {
  const { parking } = session;
  const made = usePacedInTurns(() => watchArrangement(parking, lot.id), () => floorsOf(parking, lot.id), [parking.zonesOfLot(lot.id).value], [parking, lot.id]);
  const asItLies = made ?? none;
  const drawable = useMemo(() => canDraw(asItLies), [asItLies]);
  const inGrid = useComputed(() => query.value.get('show') === 'grid').value;
  const drawn = drawable && !inGrid;
  const floors = useMemo(() => (drawn ? asItLies : asGrids(asItLies)), [asItLies, drawn]);
  const asked = useComputed(() => query.value.get('level')).value;
  const level = floors.length > 1 ? floors.map(keyOf).find((key) => key === asked) : undefined;
  const zoom = useComputed(() => zooms.find((each) => String(each) === query.value.get('zoom')) ?? 1).value;
  const picked = usePicked(session, lot.id);
  useZones(session, [lot.id], 0);

  const shown = floors.filter((floor) => level === undefined || keyOf(floor) === level);
  const total = floors.reduce((sum, { zones }) => sum + zones.reduce((n, { bays }) => n + bays.length, 0), 0);
  return (
    <article class="lot" data-density={total > many ? 'dense' : 'roomy'} data-windowed={total > tooMany || undefined}>
      <LotHead session={session} lot={lot} />
      {!kiosk.value && (
        <PlanControls session={session} lotId={lot.id} floors={floors} level={level} drawn={drawable ? drawn : undefined} zoom={zoom} />
      )}
      {shown.map((floor) => (
        <FloorPlan key={floor.key} session={session} lot={lot} floor={floor} alone={floors.length === 1} zoom={zoom} picked={picked} windowed={total > tooMany} />
      ))}
      {!made && <Loading />}
      {made && total === 0 && <p class="none">{words.plan.noSpots}</p>}
      {picked && <Picked session={session} cell={picked} there={made !== undefined} drawn={drawn} />}
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

interface FloorPlanProps extends LotPageProps {
  readonly floor: Floor;
  readonly alone: boolean;
  readonly zoom: number;
  readonly picked: Cell | undefined;
  readonly windowed: boolean;
}

function FloorPlan({ session, lot, floor, alone, zoom, picked, windowed }: FloorPlanProps) {
  const only = alone && floor.zones.length === 1;
  const name = (zone: { readonly name: string }) => zone.name || (only ? words.plan.spots : words.plan.withoutZone);
  const common = { session, lotId: lot.id, picked, pick, windowed };
  return (
    <>
      {floor.level !== undefined && floor.zones.length > 1 && floor.parts[0]?.zones.length !== floor.zones.length && <h2 class="level">{nameOf(floor)}</h2>}
      {floor.parts.map(({ zones, layout }, i) => (layout
        ? <Drawing key={i} {...common} zones={zones} layout={layout} name={zones.length > 1 ? nameOf(floor) : name(zones[0]!)} zoom={zoom} />
        : zones.map((zone) => <ZoneGrid key={`${i} ${zone.id}`} {...common} zone={zone} name={name(zone)} />)))}
    </>
  );
}

/** The spot of this lot that the address names. */
function usePicked({ parking }: Session, lotId: string): Cell | undefined {
  return useComputed(() => {
    const spotId = query.value.get('spot');
    const cell = spotId === null ? undefined : parking.spot(spotId);
    return cell?.value.lotId === lotId ? cell : undefined;
  }).value;
}

interface PickedProps {
  readonly session: Session;
  readonly cell: Cell;
  /** Whether the plan is made. */
  readonly there: boolean;
  readonly drawn: boolean;
}

/** What is known of it. Its bay comes in sight where it was not pressed, once: who has gone on from there is not pulled back. */
function Picked({ session, cell, there, drawn }: PickedProps) {
  const id = cell.peek().spotId;
  useEffect(() => {
    const bay = document.querySelector<HTMLElement>(`.bay[data-spot-id="${CSS.escape(id)}"]`);
    if (bay && document.activeElement !== bay) bay.scrollIntoView({ block: 'center', inline: 'center' });
  }, [id, there, drawn]);
  return <SpotDetail session={session} cell={cell} close={() => setQuery({ spot: undefined })} />;
}
