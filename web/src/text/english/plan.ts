export const plan = {
  spots: 'Spots', withoutZone: 'Without a zone', withoutLevel: 'Without a level',
  noSpots: 'This lot has no spots yet. Those that are added appear here at once.',
  levels: 'Levels', allLevels: 'All levels',
  level: (n: number): string => `Level ${n}`,
  drawn: 'How the plan is drawn', asItLies: 'As it lies', grid: 'Tidy grid',
  size: 'Size of the plan', larger: 'Larger', smaller: 'Smaller',
};
