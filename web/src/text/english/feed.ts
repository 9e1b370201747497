import type { Kind } from '../../feed/filter';
import { clockTime, number } from '../format';

const kind: Record<Kind, string> = {
  occupied: 'occupied', released: 'became free', reserved: 'reserved', reservation_ended: 'reservation ended', signal_lost: 'sensor lost', signal_restored: 'sensor back',
  closed: 'closed', reopened: 'reopened', faulted: 'out of service', repaired: 'back in service', added: 'added', edited: 'edited', removed: 'removed',
};

export const feed = {
  kind,
  title: 'Changes', list: 'Changes, the newest first', showOf: 'Show changes of', all: 'All changes',
  search: 'Search changes', narrow: 'Narrow the changes', outcome: 'What the spot is now', what: 'What happened', removed: 'removed',
  /** How many kinds of changes are chosen. */
  kindsChosen: (n: number): string => (n === 0 ? 'What happened: anything' : `What happened: ${number(n)} of the kinds`),
  pause: 'Pause', goOn: 'Go on', paused: 'Paused: what you see stays as it is.',
  newOnes: (n: number): string => (n === 1 ? '1 new change' : `${number(n)} new changes`),
  nothingSince: (since: number): string => `Nothing has changed since ${clockTime(since)}.`,
  appearHere: 'Changes appear here the moment they are known.',
  noneMatches: 'No change since this page was opened is like that. The next one appears here the moment it is known.',
  noOlder: (n: number): string => `This page keeps the newest ${number(n)} changes. What happened to one spot before is on its own page.`,
  gap: (since: number): string =>
    `Changes since ${clockTime(since)} are not all listed here: the connection was lost for too long, or too slow. Counts and spots are up to date.`,
  gapBetween: (since: number, until: number): string => `Not all changes between ${clockTime(since)} and ${clockTime(until)} are listed. Counts and spots are right.`,
};
