import type { Kind } from '../../feed/filter';
import { number, shortTime } from '../format';

const kind: Record<Kind, string> = {
  occupied: 'occupied', released: 'became free', reserved: 'reserved', reservation_ended: 'reservation ended', signal_lost: 'sensor silent', signal_restored: 'sensor heard again',
  closed: 'closed', reopened: 'reopened', faulted: 'out of service', repaired: 'back in service', added: 'added', edited: 'edited', removed: 'removed',
};

export const feed = {
  kind,
  title: 'Changes', list: 'Changes, the newest first', keys: 'Arrow keys go from change to change.', showOf: 'Show changes of', all: 'All changes',
  search: 'Search changes', narrow: 'Narrow the changes', outcome: 'Status now', what: 'Kind of change', removed: 'removed',
  /** How many kinds of changes are chosen. */
  kindsChosen: (n: number): string => (n === 0 ? 'Kind of change: any' : `Kind of change: ${number(n)} chosen`),
  pause: 'Pause', goOn: 'Go on', paused: 'Paused: what you see stays as it is.',
  newOnes: (n: number): string => (n === 1 ? '1 new change' : `${number(n)} new changes`),
  nothingSince: (since: number, now: number): string => `Nothing has changed since ${shortTime(since, now)}.`,
  appearHere: 'Changes appear here the moment they are known.',
  noneMatches: 'No change since this page was opened matches. The next one that does appears here the moment it is known.',
  noOlder: (n: number): string => `This page keeps the newest ${number(n)} changes. What happened to a spot before that is on its own page.`,
  gapBetween: (since: number, until: number, now: number): string => `Not all changes between ${shortTime(since, now)} and ${shortTime(until, now)} are listed. Counts and spots are right.`,
};
