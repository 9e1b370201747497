import { clockTime, number } from '../format';

const occupancy = { free: 'none stands there', occupied: 'one stands there', unknown: 'not known' };

const source: Readonly<Record<string, string>> = { sensor: 'sensor', operator: 'operator', system: 'platform' };

const formats = { csv: 'CSV', parquet: 'Parquet' };

export const spot = {
  occupancy, source, formats,
  title: 'Spot',
  pageTitle: (name: string, status: string): string => `${name}: ${status}`,
  /** Between a status and the time of its beginning: "free since 14:03". */
  since: 'since',
  asOf: (time: number): string => `As of ${clockTime(time)}; what changed since will follow.`,
  unknownMeans: 'Its sensor has gone silent: nobody knows whether it is free.',
  ways: 'More of this spot', neighbours: 'Spots beside it', tellMe: 'Tell me when it is free',
  none: (id: string): string => `No spot has the id “${id}”, and nothing is known of one.`,
  removed: 'This spot was removed. What happened to it is below.',

  facts: 'What is known of it', id: 'Id', vehicle: 'Vehicle', byOperator: 'by an operator', untilEnded: 'until it is ended',
  until: (time: string): string => `until ${time}`,
  lastReading: 'Last reading', never: 'none yet', sensor: 'Sensor', noSensor: 'none is registered', supervised: 'Supervised',
  silentAfter: (length: string): string => `unknown after ${length} of silence`,
  location: 'Location', point: (lat: string, lon: string): string => `${lat}, ${lon}`, version: 'Changes so far',

  times: 'What it was when',
  timesLabel: (from: string, to: string): string => `What the spot was from ${from} to ${to}. The table has every time.`,
  timesCut: 'There are more changes than can be shown at once: the strip ends early.',
  begin: 'From', end: 'To', length: 'How long',

  stays: 'Stays of the last 7 days', completed: 'Seen from begin to end', longest: 'The longest',
  ongoing: (since: string, length: string): string => `Somebody has stood here since ${since} (${length}).`,
  incomplete: (n: number): string => `Of ${number(n)} more the begin or the end was not seen; they are not counted.`,
  notSeen: (length: string): string => `${length}, begin or end not seen`,
  allStays: (n: number): string => `All ${number(n)}`,

  trail: 'What happened', older: 'What was before', nothingHappened: 'Nothing that is still kept.',
  lateReading: (status: string): string => `a reading of “${status}” came too late`,
  seenAt: (time: string): string => `seen at ${time}`,
};
