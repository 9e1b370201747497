import { number, shortTime } from '../format';
import type { Words } from '../words';

export const feed: Words['feed'] = {
  kind: {
    occupied: 'belegt', released: 'frei geworden', reserved: 'reserviert', reservation_ended: 'Reservierung beendet', signal_lost: 'Sensor schweigt', signal_restored: 'Sensor meldet wieder',
    closed: 'gesperrt', reopened: 'wieder geöffnet', faulted: 'außer Betrieb', repaired: 'wieder in Betrieb', added: 'angelegt', edited: 'bearbeitet', removed: 'entfernt',
  },
  title: 'Änderungen', list: 'Änderungen, die neueste zuerst', keys: 'Die Pfeiltasten gehen von Änderung zu Änderung.', showOf: 'Änderungen zeigen von', all: 'Alle Änderungen',
  search: 'Änderungen suchen', narrow: 'Änderungen eingrenzen', outcome: 'Jetziger Status', what: 'Art der Änderung', removed: 'entfernt',
  kindsChosen: (n) => (n === 0 ? 'Art der Änderung: alle' : `Art der Änderung: ${number(n)} ausgewählt`),
  pause: 'Anhalten', goOn: 'Weiter', paused: 'Angehalten: Die Liste bleibt, wie sie ist.',
  newOnes: (n) => (n === 1 ? '1 neue Änderung' : `${number(n)} neue Änderungen`),
  nothingSince: (since, now) => `Seit ${shortTime(since, now)} hat sich nichts geändert.`,
  appearHere: 'Änderungen erscheinen hier, sobald sie bekannt sind.',
  noneMatches: 'Seit diese Seite geöffnet wurde, gab es keine passende Änderung. Die nächste erscheint hier, sobald sie bekannt ist.',
  noOlder: (n) => `Diese Seite behält die neuesten ${number(n)} Änderungen. Was vorher mit einem Platz geschah, steht auf dessen eigener Seite.`,
  gapBetween: (since, until, now) => `Zwischen ${shortTime(since, now)} und ${shortTime(until, now)} sind nicht alle Änderungen aufgeführt. Zahlen und Plätze stimmen.`,
};
