import { useComputed, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Cell } from '../live/parking';
import type { LotPageProps } from '../shell/pages';
import { kiosk } from '../shell/settings';
import { number, percent } from '../text/format';
import { words } from '../text/words';
import { Legend } from '../ui/Legend';
import { ease } from '../ui/LotCard';
import { Proportion } from '../ui/Proportion';
import { cityPath, query, setQuery } from '../ui/router';
import { SpotDetail } from '../ui/SpotDetail';
import { Drawing } from './Drawing';
import { canDraw, floorsOf, type Floor } from './floors';
import { keyOf, nameOf, PlanControls, zooms } from './PlanControls';
import { ZoneGrid } from './ZoneGrid';
import './plan.css';

const many = 150; // spots, from which on they are drawn smaller in a grid
const pick = (cell: Cell) => setQuery({ spot: cell.peek().spotId });

/** One lot: its counts and all its spots. Only what changes with every event reads the counts, as drawing all bays takes long. */
export default function PlanPage({ session, lot }: LotPageProps) {
  const { parking } = session;
  const asItLies = useComputed(() => floorsOf(parking, lot.id, true));
  const drawable = useComputed(() => canDraw(asItLies.value));
  const drawn = useComputed(() => drawable.value && query.value.get('show') !== 'grid');
  const floors = useComputed(() => (drawn.value ? asItLies.value : floorsOf(parking, lot.id, false)));
  const level = useComputed(() => floors.value.map(keyOf).find((key) => floors.value.length > 1 && key === query.value.get('level')));
  const zoom = useComputed(() => zooms.find((each) => String(each) === query.value.get('zoom')) ?? 1);
  const lacksZone = useComputed(() => parking.lacksZone(lot.id));

  useEffect(() => void session.fetchZones(lot.id), [session, lot.id]);
  useSignalEffect(() => {
    if (lacksZone.value) void session.fetchZones(lot.id); // one was added
  });

  const shown = floors.value.filter((floor) => level.value === undefined || keyOf(floor) === level.value);
  const total = floors.value.reduce((sum, { zones }) => sum + zones.reduce((n, { bays }) => n + bays.length, 0), 0);
  return (
    <article class="lot" data-density={total > many ? 'dense' : 'roomy'}>
      <LotHead session={session} lot={lot} />
      {!kiosk.value && (
        <PlanControls session={session} lotId={lot.id} floors={floors.value} level={level.value} drawn={drawable.value ? drawn.value : undefined} zoom={zoom.value} />
      )}
      {shown.map((floor) => <FloorPlan key={floor.key} session={session} lot={lot} floor={floor} alone={floors.value.length === 1} zoom={zoom.value} />)}
      {total === 0 && <p class="none">{words.plan.noSpots}</p>}
      <Picked session={session} lot={lot} floors={floors.value} />
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
}

function FloorPlan({ session, lot, floor, alone, zoom }: FloorPlanProps) {
  const only = alone && floor.zones.length === 1;
  const name = (zone: { readonly name: string }) => zone.name || (only ? words.plan.spots : words.plan.withoutZone);
  return (
    <>
      {floor.level !== undefined && floor.zones.length > 1 && floor.parts[0]?.zones.length !== floor.zones.length && <h2 class="level">{nameOf(floor)}</h2>}
      {floor.parts.map(({ zones, layout }, i) => (layout
        ? <Drawing key={i} session={session} lotId={lot.id} zones={zones} layout={layout} name={zones.length > 1 ? nameOf(floor) : name(zones[0]!)} zoom={zoom} pick={pick} />
        : zones.map((zone) => <ZoneGrid key={`${i} ${zone.id}`} session={session} lotId={lot.id} zone={zone} name={name(zone)} pick={pick} />)))}
    </>
  );
}

/** The spot that the address names. Its bay is marked, and comes in sight where it was not pressed. */
function Picked({ session, lot, floors }: LotPageProps & { readonly floors: readonly Floor[] }) {
  const spotId = useComputed(() => query.value.get('spot') ?? undefined);
  const cell = useComputed(() => (spotId.value === undefined ? undefined : session.parking.spot(spotId.value))).value;
  const here = cell?.value.lotId === lot.id ? cell : undefined;
  const id = here?.peek().spotId;
  useEffect(() => {
    const bay = id === undefined ? null : document.querySelector<HTMLElement>(`.bay[data-spot-id="${CSS.escape(id)}"]`);
    if (!bay) return;
    bay.dataset.picked = 'true';
    if (document.activeElement !== bay) bay.scrollIntoView({ block: 'center', inline: 'center' });
    return () => void delete bay.dataset.picked;
  }, [id, floors]);
  return here ? <SpotDetail session={session} cell={here} close={() => setQuery({ spot: undefined })} /> : null;
}
