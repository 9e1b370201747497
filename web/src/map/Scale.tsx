import { useComputed } from '@preact/signals';
import { words } from '../text/words';
import type { Scene } from './scene';

const longest = 110; // pixels

/** How long a part of the map is, and who made the tiles. */
export function Scale({ scene, attribution }: { scene: Scene; attribution: string | undefined }) {
  const metres = useComputed(() => roundLength(scene.metres.value * longest)).value;
  return (
    <p class="map-scale">
      {attribution && <span>{attribution}</span>}
      <b style={{ inlineSize: `${Math.round(metres / scene.metres.value)}px` }}>{words.map.length(metres)}</b>
    </p>
  );
}

/** The longest of 1, 2, 5, 10, 20, … that is not longer than this. */
export function roundLength(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres));
  const first = metres / power;
  return power * (first >= 5 ? 5 : first >= 2 ? 2 : 1);
}
