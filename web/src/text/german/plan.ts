import type { Words } from '../words';

export const plan: Words['plan'] = {
  spots: 'Plätze', withoutZone: 'Ohne Zone',
  noSpots: 'Diese Parkfläche hat noch keine Plätze. Neue erscheinen hier sofort.',
};
