import { useComputed } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import { ease } from '../ui/LotCard';
import { chooseLot, chosenLot } from './choice';
import type { Cloud, LotPlace } from './cloud';
import { clustered, reachAt, type Cluster } from './cluster';
import { boxAround, corners, flat, middle, unflat } from './geo';
import type { Scene } from './scene';

const apart = 164; // pixels between two signs, less where the map is narrow: as wide as they may be, see map.css

interface SignsProps {
  readonly scene: Scene;
  readonly session: Session;
  readonly cloud: Cloud;
}

/** The signs of the lots, above their spots. Those that see the list beside the map, or hear it, need none of them to get anywhere. */
export function Signs({ scene, session, cloud }: SignsProps) {
  const box = useRef<HTMLDivElement>(null);
  const clusters = useComputed(() => clustered(cloud.lots.value.flatMap(standing), reachAt(scene.step.value, Math.min(apart, scene.width * 0.31))));
  const place = () => {
    const all = clusters.peek().map(unflat).map((at) => scene.project(at));
    [...(box.current?.children ?? [])].forEach((sign, i) => {
      const at = all[i];
      if (at) (sign as HTMLElement).style.transform = `translate(${Math.round(at.x)}px, ${Math.round(at.y)}px) translate(-50%, calc(-100% - 18px))`;
    });
  };
  useEffect(() => scene.whenMoved(place), [scene]);
  useLayoutEffect(place);
  const places = new Map(cloud.lots.value.map((lot) => [lot.lotId, lot]));
  return (
    <div class="map-signs" ref={box}>
      {clusters.value.map((cluster) => <Sign key={cluster.ids.join(' ')} cluster={cluster} scene={scene} session={session} places={places} />)}
    </div>
  );
}

/** Where a lot's sign stands: in the middle of its far side. */
function standing({ lotId, box }: LotPlace) {
  return box ? [{ id: lotId, ...flat({ lat: box.north, lon: middle(box).lon }) }] : [];
}

interface SignProps {
  readonly cluster: Cluster;
  readonly scene: Scene;
  readonly session: Session;
  readonly places: ReadonlyMap<string, LotPlace>;
}

function Sign({ cluster: { ids }, scene, session: { parking }, places }: SignProps) {
  const all = ids.map((id) => parking.countsOfLot(id).value);
  const counts = { ...all[0]!, free: all.reduce((sum, { free }) => sum + free, 0), total: all.reduce((sum, { total }) => sum + total, 0) };
  const name = ids.length > 1 ? words.map.together(ids.length) : (parking.lots.value.find(({ id }) => id === ids[0])?.name ?? ids[0]!);
  const open = () => {
    if (ids.length === 1) return chooseLot(ids[0]);
    const around = boxAround(ids.flatMap((id) => places.get(id)?.box ?? []).flatMap(corners));
    if (around) scene.show(around);
  };
  return (
    <button
      type="button" tabIndex={-1} class="map-sign" data-ease={ease(counts)} data-chosen={ids.includes(chosenLot.value ?? '') || undefined}
      data-testid="map-sign" data-lots={ids.join(' ')} data-free={counts.free} onClick={open} aria-label={words.map.sign(name, counts.free, counts.total)}
    >
      <span>{name}</span> <b>{number(counts.free)}</b>
    </button>
  );
}
