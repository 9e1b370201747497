import type { Words } from '../words';

export const plan: Words['plan'] = {
  spots: 'Plätze', withoutZone: 'Ohne Zone', withoutLevel: 'Ohne Ebene',
  noSpots: 'Diese Parkfläche hat noch keine Plätze. Neue erscheinen hier sofort.',
  levels: 'Ebenen', allLevels: 'Alle Ebenen',
  level: (n) => `Ebene ${n}`,
  drawn: 'Darstellung des Plans', asItLies: 'Wie es liegt', grid: 'Raster',
  size: 'Größe des Plans', larger: 'Größer', smaller: 'Kleiner',
};
