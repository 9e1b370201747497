// Keeps the map as the state, the settings and the address have it.
import { effect, untracked } from '@preact/signals';
import type { Parking } from '../live/parking';
import { motion, theme } from '../shell/settings';
import { chosenLot, chosenSpot, shownStatuses, viewpoint } from './choice';
import type { Cloud } from './cloud';
import { readColours } from './colours';
import { boxAround, corners, type Box } from './geo';
import type { Scene } from './scene';
import { writeViewpoint } from './viewpoint';

/** Around a lot, or around all of them; undefined: nobody said where they are. */
export function boxOf(cloud: Cloud, lotId: string | undefined): Box | undefined {
  const boxes = cloud.lots.peek().flatMap((lot) => (lot.box && (lotId === undefined || lot.lotId === lotId) ? [lot.box] : []));
  return boxAround(boxes.flatMap(corners));
}

/** Returns what ends it. */
export function steer(scene: Scene, cloud: Cloud, parking: Parking): () => void {
  cloud.changed = () => scene.draw();
  const followed = [
    effect(() => {
      const dark = theme.value === 'dark';
      queueMicrotask(() => scene.setColours(readColours(), dark)); // when the page has them
    }),
    effect(() => scene.setMotion(motion.value)),
    effect(() => scene.setShown(shownStatuses.value)),
    effect(() => {
      const cell = chosenSpot.value === undefined ? undefined : parking.spot(chosenSpot.value);
      cloud.shape.value; // spots are numbered anew
      scene.setPicked(cloud.indexOf(cell));
    }),
    effect(() => scene.setLots(cloud.lots.value)),
    travel(scene, cloud, parking),
  ];
  return () => {
    cloud.changed = () => undefined;
    for (const end of followed) end();
  };
}

/** Goes where the address says, whenever it says something else. */
function travel(scene: Scene, cloud: Cloud, parking: Parking): () => void {
  let before: { at: string; lot: string | undefined; spot: string | undefined } | undefined;
  return effect(() => {
    const view = viewpoint.value;
    const next = { at: view ? writeViewpoint(view) : '', lot: chosenLot.value, spot: chosenSpot.value };
    const last = before;
    before = next;
    untracked(() => {
      const animate = last ? undefined : false; // it begins there
      if (view) {
        const there = writeViewpoint(scene.viewpoint) === next.at;
        if (last && next.at !== last.at && !there) scene.show(view);
        return;
      }
      const place = next.spot === undefined ? undefined : parking.spot(next.spot)?.peek().location;
      if (place && (!last || last.at !== '' || last.spot !== next.spot)) return scene.showSpot(place, animate);
      const box = boxOf(cloud, next.lot);
      if (last && box && !place && (last.at !== '' || last.lot !== next.lot)) scene.show(box);
    });
  });
}
