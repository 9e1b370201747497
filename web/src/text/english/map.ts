import { number } from '../format';

export const map = {
  /** What the map is called, to those who do not see it. */
  canvas: 'Map. Arrow keys move it, plus and minus zoom. The list has the same lots and spots.',
  beside: 'Lots and spots as a list', shown: 'Show spots by status',
  nearer: 'Zoom in', farther: 'Zoom out', whole: 'All lots on the map',
  move: 'Move the map', moveTo: { north: 'To the north', west: 'To the west', east: 'To the east', south: 'To the south' },
  together: (lots: number): string => `${number(lots)} lots`,
  sign: (name: string, free: number, total: number): string => `${name} ${number(free)} of ${number(total)} free`,
  nowhere: 'Not on the map', nowhereDetail: 'Nobody has entered where these lots are. Their plans show their spots.',
  unplaced: (spots: number): string =>
    (spots === 1 ? '1 spot has no place on the map, and is in the list.' : `${number(spots)} spots have no place on the map, and are in the list.`),
  noGraphics: 'This browser cannot draw the map (WebGL 2 is missing or switched off). The list has the same lots and spots.',
  length: (metres: number): string => (metres >= 1000 ? `${number(metres / 1000)} km` : `${number(metres)} m`),
};
