export const plan = {
  spots: 'Spots', withoutZone: 'Without a zone',
  noSpots: 'This lot has no spots yet. Those that are added appear here at once.',
};
