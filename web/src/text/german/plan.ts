import type { Words } from '../words';
import { common } from './common';

export const plan: Words['plan'] = {
  spots: 'Plätze', withoutZone: 'Ohne Zone', withoutLevel: 'Ohne Ebene',
  noSpots: 'Diese Parkfläche hat noch keine Plätze. Neue erscheinen hier sofort.',
  levels: 'Ebenen', allLevels: 'Alle Ebenen',
  level: (n) => `${common.term.level} ${n}`,
  drawn: 'Darstellung des Plans', asItLies: 'Maßstäblich', grid: 'Raster',
  size: 'Größe des Plans', larger: 'Größer', smaller: 'Kleiner',
};
