import { number } from '../format';
import type { Words } from '../words';

export const map: Words['map'] = {
  canvas: 'Karte. Pfeiltasten verschieben sie, Plus und Minus ändern den Ausschnitt. Die Liste enthält dieselben Parkflächen und Plätze.',
  beside: 'Parkflächen und Plätze als Liste', shown: 'Plätze nach Status zeigen',
  nearer: 'Vergrößern', farther: 'Verkleinern', whole: 'Alle Parkflächen auf der Karte',
  move: 'Karte verschieben', moveTo: { north: 'Nach Norden', west: 'Nach Westen', east: 'Nach Osten', south: 'Nach Süden' },
  together: (lots) => `${number(lots)} Parkflächen`,
  sign: (name, free, total) => `${name} ${number(free)} von ${number(total)} frei`,
  nowhere: 'Nicht auf der Karte', nowhereDetail: 'Für diese Parkflächen ist kein Ort eingetragen. Ihre Pläne zeigen die Plätze.',
  unplaced: (spots) =>
    (spots === 1 ? '1 Platz hat keinen Ort auf der Karte und steht in der Liste.' : `${number(spots)} Plätze haben keinen Ort auf der Karte und stehen in der Liste.`),
  noGraphics: 'Dieser Browser kann die Karte nicht zeichnen (WebGL 2 fehlt oder ist abgeschaltet). Die Liste enthält dieselben Parkflächen und Plätze.',
  length: (metres) => (metres >= 1000 ? `${number(metres / 1000)} km` : `${number(metres)} m`),
};
