import { common } from './common';

export const plan = {
  spots: 'Spots', withoutZone: 'Without a zone', withoutLevel: 'Without a level',
  noSpots: 'This lot has no spots yet. Those that are added appear here at once.',
  levels: 'Levels', allLevels: 'All levels',
  level: (n: number): string => `${common.term.level} ${n}`,
  drawn: 'How the plan is drawn', asItLies: 'To scale', grid: 'Tidy grid',
  size: 'Size of the plan', larger: 'Larger', smaller: 'Smaller',
};
