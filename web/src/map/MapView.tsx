import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Session } from '../live/session';
import { kiosk, theme } from '../shell/settings';
import { words } from '../text/words';
import { SpotDetail } from '../ui/SpotDetail';
import { chosenLot, chosenSpot, dropSpot, keepViewpoint, pickSpot, viewpoint } from './choice';
import type { Cloud } from './cloud';
import { readColours } from './colours';
import { MapControls } from './MapControls';
import { Scale } from './Scale';
import { Scene } from './scene';
import { Signs } from './Signs';
import { boxOf, steer } from './steer';
import { fetchTiles, type Tiles } from './tiles';

interface MapViewProps {
  readonly session: Session;
  readonly cloud: Cloud;
}

/** The map, what stands on it, and the spot that was picked. */
export default function MapView({ session, cloud }: MapViewProps) {
  const { parking } = session;
  const box = useRef<HTMLDivElement>(null);
  const scene = useSignal<Scene | undefined>(undefined);
  const tiles = useSignal<Tiles | undefined>(undefined);
  const failed = useSignal(false);

  useEffect(() => {
    let ended = false;
    let endSteering = () => {};
    void fetchTiles(session.api).then((found) => {
      if (ended || !box.current) return;
      tiles.value = found;
      if (!canDraw()) return void (failed.value = true);
      const made: Scene = new Scene({
        container: box.current, cloud, tiles: found, colours: readColours(), dark: theme.peek() === 'dark', title: words.map.canvas,
        at: viewpoint.peek() ?? boxOf(cloud, chosenLot.peek()) ?? boxOf(cloud, undefined),
        pick: (cell) => pickSpot(cell?.peek().spotId, made.viewpoint),
        rested: keepViewpoint,
      });
      scene.value = made;
      endSteering = steer(made, cloud, parking);
    });
    return () => {
      ended = true;
      endSteering();
      scene.peek()?.end();
      scene.value = undefined;
    };
  }, [session, cloud]);

  const now = scene.value;
  return (
    <div class="map-view" data-testid="map" data-ready={now ? 'true' : undefined}>
      <div class="map-canvas" ref={box} />
      {failed.value && <p class="map-note" role="status">{words.map.noGraphics}</p>}
      {now && <Signs scene={now} session={session} cloud={cloud} />}
      {now && !kiosk.value && <MapControls scene={now} cloud={cloud} />}
      {now && <Scale scene={now} attribution={tiles.value?.attribution} />}
      <Picked session={session} scene={now} />
    </div>
  );
}

function Picked({ session, scene }: { session: Session; scene: Scene | undefined }) {
  const cell = useComputed(() => (chosenSpot.value === undefined ? undefined : session.parking.spot(chosenSpot.value))).value;
  if (!cell) return null;
  const close = () => (scene ? pickSpot(undefined, scene.viewpoint) : dropSpot());
  return <SpotDetail session={session} cell={cell} close={close} />;
}

/** Whether the browser has what the map is drawn with. */
const canDraw = (): boolean => document.createElement('canvas').getContext('webgl2') !== null;
