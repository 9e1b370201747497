import { number, shortTime } from '../format';
import type { Words } from '../words';
import { common } from './common';

export const spot: Words['spot'] = {
  occupancy: { free: 'keines', occupied: 'eines da', unknown: 'nicht bekannt' },
  source: { sensor: 'Sensor', operator: 'Betrieb', system: 'Plattform' },
  formats: { csv: 'CSV', parquet: 'Parquet' },
  title: common.term.spot,
  pageTitle: (name, status) => `${name}: ${status}`,
  since: 'seit',
  asOf: (time, now) => `Stand von ${shortTime(time, now)}; spätere Änderungen folgen.`,
  unknownMeans: 'Sein Sensor schweigt: Niemand weiß, ob er frei ist.',
  lotClocks: (zone, time) => `Die Uhren der Parkfläche (${zone}) zeigen jetzt ${time}. Nach ihnen gehen der Streifen, die Parkvorgänge und der Verlauf; alles andere nach der Uhr dieses Geräts.`,
  ways: 'Mehr zu diesem Platz', neighbours: 'Plätze daneben', tellMe: 'Melden, wenn er frei ist',
  none: (id) => `Kein Platz hat die ID „${id}“, und von keinem ist etwas bekannt.`,
  removed: 'Dieser Platz wurde entfernt. Was mit ihm geschah, steht unten.',

  facts: 'Was über ihn bekannt ist', id: 'ID', vehicle: 'Fahrzeug', byOperator: 'durch den Betrieb', untilEnded: 'bis sie beendet wird',
  until: (time) => `bis ${time}`,
  lastReading: 'Letzter Messwert', never: 'noch keiner', sensor: common.term.sensor, noSensor: 'keiner eingetragen', supervised: 'Überwacht',
  silentAfter: (length) => `unbekannt nach ${length} ohne Meldung`,
  location: 'Lage', point: (lat, lon) => `${lat}, ${lon}`, version: 'Änderungen bisher',

  times: 'Status im Zeitverlauf',
  timesLabel: (from, to) => `Status des Platzes von ${from} bis ${to}. Alle Zeiten stehen in der Tabelle.`,
  timesCut: 'Es gab mehr Änderungen, als sich auf einmal zeigen lassen: Der Streifen endet früher.',
  begin: 'Von', end: 'Bis', length: 'Dauer',

  stays: 'Parkvorgänge der letzten 7 Tage', completed: 'Vollständig erfasst', longest: 'Längster',
  ongoing: (since, length) => `Seit ${since} steht hier ein Fahrzeug (${length}).`,
  incomplete: (n) => `Von ${number(n)} weiteren ist Anfang oder Ende nicht bekannt; sie zählen nicht mit.`,
  notSeen: (length) => `${length}, Anfang oder Ende nicht bekannt`,
  allStays: (n) => `Alle ${number(n)}`,

  trail: 'Was geschah', older: 'Früheres', nothingHappened: 'Nichts, was noch aufbewahrt wird.',
  lateReading: (status) => `ein Messwert „${status}“ kam zu spät`,
  seenAt: (time) => `gesehen um ${time}`,
};
