import { clockTime } from '../format';
import type { Words } from '../words';

export const feed: Words['feed'] = {
  title: 'Änderungen', list: 'Änderungen, die neueste zuerst', showOf: 'Änderungen zeigen von',
  nothingSince: (since) => `Seit ${clockTime(since)} hat sich nichts geändert.`,
  appearHere: 'Änderungen erscheinen hier, sobald sie bekannt sind.',
  gap: (since) =>
    `Änderungen seit ${clockTime(since)} sind hier nicht vollständig: Die Verbindung war zu lange unterbrochen oder zu langsam. Zahlen und Plätze sind aktuell.`,
};
