import { words } from '../text/words';
import { chooseLot } from './choice';
import type { Cloud } from './cloud';
import type { Scene } from './scene';
import { boxOf } from './steer';

/** What one presses where there is neither a wheel nor two fingers. */
export function MapControls({ scene, cloud }: { scene: Scene; cloud: Cloud }) {
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
    </div>
  );
}
