import { clockTime, number } from '../format';
import type { Words } from '../words';

export const spot: Words['spot'] = {
  occupancy: { free: 'keines da', occupied: 'eines steht da', unknown: 'nicht bekannt' },
  source: { sensor: 'Sensor', operator: 'Betrieb', system: 'Plattform' },
  formats: { csv: 'CSV', parquet: 'Parquet' },
  title: 'Platz',
  pageTitle: (name, status) => `${name}: ${status}`,
  since: 'seit',
  asOf: (time) => `Stand von ${clockTime(time)}; spätere Änderungen folgen.`,
  unknownMeans: 'Sein Sensor schweigt: Niemand weiß, ob er frei ist.',
  ways: 'Mehr zu diesem Platz', neighbours: 'Plätze daneben', tellMe: 'Melden, wenn er frei ist',
  none: (id) => `Kein Platz hat die ID „${id}“, und von keinem ist etwas bekannt.`,
  removed: 'Dieser Platz wurde entfernt. Was mit ihm geschah, steht unten.',

  facts: 'Was von ihm bekannt ist', id: 'ID', vehicle: 'Fahrzeug', byOperator: 'durch den Betrieb', untilEnded: 'bis sie beendet wird',
  until: (time) => `bis ${time}`,
  lastReading: 'Letzter Messwert', never: 'noch keiner', sensor: 'Sensor', noSensor: 'keiner eingetragen', supervised: 'Überwacht',
  silentAfter: (length) => `unbekannt nach ${length} Schweigen`,
  location: 'Lage', point: (lat, lon) => `${lat}, ${lon}`, version: 'Änderungen bisher',

  times: 'Was er wann war',
  timesLabel: (from, to) => `Was der Platz von ${from} bis ${to} war. Die Tabelle hat alle Zeiten.`,
  timesCut: 'Es sind mehr Änderungen, als auf einmal zu zeigen sind: Der Streifen endet früher.',
  begin: 'Von', end: 'Bis', length: 'Dauer',

  stays: 'Standzeiten der letzten 7 Tage', completed: 'Ganz gesehen', longest: 'Die längste',
  ongoing: (since, length) => `Seit ${since} steht jemand hier (${length}).`,
  incomplete: (n) => `Von weiteren ${number(n)} wurde der Beginn oder das Ende nicht gesehen; sie zählen nicht mit.`,
  notSeen: (length) => `${length}, Beginn oder Ende nicht gesehen`,
  allStays: (n) => `Alle ${number(n)}`,

  trail: 'Was geschah', older: 'Was davor war', nothingHappened: 'Nichts, was noch aufbewahrt ist.',
  lateReading: (status) => `ein Messwert „${status}“ kam zu spät`,
  seenAt: (time) => `gesehen um ${time}`,
};
