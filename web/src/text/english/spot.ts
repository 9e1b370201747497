import { number, shortTime } from '../format';
import { common } from './common';

const occupancy = { free: 'none', occupied: 'there is one', unknown: 'not known' };

const source: Readonly<Record<string, string>> = { sensor: 'sensor', operator: 'operator', system: 'platform' };

const formats = { csv: 'CSV', parquet: 'Parquet' };

export const spot = {
  occupancy, source, formats,
  title: common.term.spot,
  pageTitle: (name: string, status: string): string => `${name}: ${status}`,
  /** Between a status and the time of its beginning: "free since 14:03". */
  since: 'since',
  asOf: (time: number, now: number): string => `As of ${shortTime(time, now)}; what changed since will follow.`,
  unknownMeans: 'Its sensor is silent: nobody knows whether it is free.',
  lotClocks: (zone: string, time: string): string => `The lot’s clocks (${zone}) show ${time} now. The strip, the stays and what happened are by them, all else by this device’s clock.`,
  ways: 'More of this spot', neighbours: 'Spots beside it', tellMe: 'Tell me when it is free',
  none: (id: string): string => `No spot has the id “${id}”, and nothing is known of one.`,
  removed: 'This spot was removed. What happened to it is below.',

  facts: 'What is known of it', id: 'Id', vehicle: 'Vehicle', byOperator: 'by an operator', untilEnded: 'until it is ended',
  until: (time: string): string => `until ${time}`,
  lastReading: 'Last reading', never: 'none yet', sensor: common.term.sensor, noSensor: 'none is registered', supervised: 'Supervised',
  silentAfter: (length: string): string => `unknown after ${length} of silence`,
  location: 'Location', point: (lat: string, lon: string): string => `${lat}, ${lon}`, version: 'Changes so far',

  times: 'Status over time',
  timesLabel: (from: string, to: string): string => `Status of the spot from ${from} to ${to}. The table has every time.`,
  timesCut: 'There are more changes than can be shown at once: the strip ends early.',
  begin: 'From', end: 'To', length: 'How long',

  stays: 'Stays of the last 7 days', completed: 'Seen from start to end', longest: 'Longest',
  ongoing: (since: string, length: string): string => `A vehicle has been here since ${since} (${length}).`,
  incomplete: (n: number): string => `Of ${number(n)} more the start or the end was not seen; they are not counted.`,
  notSeen: (length: string): string => `${length}, start or end not seen`,
  allStays: (n: number): string => `All ${number(n)}`,

  trail: 'What happened', older: 'Earlier', nothingHappened: 'Nothing that is still kept.',
  lateReading: (status: string): string => `a reading of “${status}” came too late`,
  seenAt: (time: string): string => `seen at ${time}`,
};
