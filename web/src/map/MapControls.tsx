import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { words } from '../text/words';
import { chooseLot } from './choice';
import type { Cloud } from './cloud';
import type { Scene } from './scene';
import { boxOf } from './steer';

interface MapControlsProps {
  readonly scene: Scene;
  readonly cloud: Cloud;
}

/** What one presses where there is neither a wheel nor two fingers. */
export function MapControls({ scene, cloud }: MapControlsProps) {
  const moving = useSignal(false);
  const id = useId();
  const whole = () => {
    chooseLot(undefined);
    const box = boxOf(cloud, undefined);
    if (box) scene.show(box);
  };
  return (
    <div class="map-controls">
      <button type="button" onClick={() => scene.zoomBy(1)} aria-label={words.map.nearer} title={words.map.nearer}><span aria-hidden="true">+</span></button>
      <button type="button" onClick={() => scene.zoomBy(-1)} aria-label={words.map.farther} title={words.map.farther}><span aria-hidden="true">−</span></button>
      <button type="button" onClick={whole} aria-label={words.map.whole} title={words.map.whole}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5" /></svg>
      </button>
      <button
        type="button" aria-label={words.map.move} title={words.map.move} aria-expanded={moving.value} aria-controls={id} data-testid="map-move"
        onClick={() => (moving.value = !moving.value)}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3" /></svg>
      </button>
      <Pad id={id} scene={scene} shown={moving.value} />
    </div>
  );
}

const ways = [
  { way: 'north', x: 0, y: -1, path: 'M6 14l6-6 6 6' }, { way: 'west', x: -1, y: 0, path: 'M14 6l-6 6 6 6' },
  { way: 'east', x: 1, y: 0, path: 'M10 6l6 6-6 6' }, { way: 'south', x: 0, y: 1, path: 'M6 10l6 6 6-6' },
] as const;
const part = 0.3; // of the map, that it moves by

/** Moves the map without dragging it. */
const Pad = ({ id, scene, shown }: { id: string; scene: Scene; shown: boolean }) => (
  <div class="map-pad" id={id} role="group" aria-label={words.map.move} hidden={!shown}>
    {ways.map(({ way, x, y, path }) => (
      <button key={way} type="button" class={way} onClick={() => scene.moveBy(x * part, y * part)} aria-label={words.map.moveTo[way]} title={words.map.moveTo[way]} data-way={way}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d={path} /></svg>
      </button>
    ))}
  </div>
);
