import { clockTime, number } from '../format';
import type { Words } from '../words';

export const feed: Words['feed'] = {
  kind: {
    occupied: 'belegt', released: 'frei geworden', reserved: 'reserviert', reservation_ended: 'Reservierung beendet', signal_lost: 'Sensor ausgefallen', signal_restored: 'Sensor wieder da',
    closed: 'gesperrt', reopened: 'wieder geöffnet', faulted: 'außer Betrieb', repaired: 'wieder in Betrieb', added: 'angelegt', edited: 'bearbeitet', removed: 'entfernt',
  },
  title: 'Änderungen', list: 'Änderungen, die neueste zuerst', showOf: 'Änderungen zeigen von', all: 'Alle Änderungen',
  search: 'Änderungen suchen', narrow: 'Änderungen eingrenzen', outcome: 'Was der Platz jetzt ist', what: 'Was geschehen ist', removed: 'entfernt',
  kindsChosen: (n) => (n === 0 ? 'Was geschehen ist: alles' : `Was geschehen ist: ${number(n)} der Arten`),
  pause: 'Anhalten', goOn: 'Weiter', paused: 'Angehalten: Was hier steht, bleibt stehen.',
  newOnes: (n) => (n === 1 ? '1 neue Änderung' : `${number(n)} neue Änderungen`),
  nothingSince: (since) => `Seit ${clockTime(since)} hat sich nichts geändert.`,
  appearHere: 'Änderungen erscheinen hier, sobald sie bekannt sind.',
  noneMatches: 'Seit diese Seite geöffnet wurde, war keine Änderung so. Die nächste erscheint hier, sobald sie bekannt ist.',
  noOlder: (n) => `Diese Seite behält die neuesten ${number(n)} Änderungen. Was mit einem Platz davor war, steht auf seiner eigenen Seite.`,
  gap: (since) =>
    `Änderungen seit ${clockTime(since)} sind hier nicht vollständig: Die Verbindung war zu lange unterbrochen oder zu langsam. Zahlen und Plätze sind aktuell.`,
  gapBetween: (since, until) => `Zwischen ${clockTime(since)} und ${clockTime(until)} sind nicht alle Änderungen aufgeführt. Zahlen und Plätze stimmen.`,
};
