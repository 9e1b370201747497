// The words that more than one view says: of spots and their changes, of times, and of who may do what.
import type { Setback } from '../../identity/account';
import type { Way } from '../../identity/entrance';
import type { Scope } from '../../identity/person';
import type { Action } from '../../live/api';
import type { Problem } from '../../live/http';
import type { Counts } from '../../live/tally';
import { isStatus, type ParkingEvent, type Status } from '../../live/wire';
import { clockTime, number } from '../format';

const status: Record<Status, string> = {
  free: 'free', reserved: 'reserved', occupied: 'occupied', unknown: 'unknown', out_of_service: 'out of service', closed: 'closed',
};

/** What things are called, in every view: one name for one thing. */
const term = { lot: 'Lot', zone: 'Zone', level: 'Level', spot: 'Spot', category: 'Category', status: 'Status', sensor: 'Sensor' };

const category: Record<string, string> = {
  standard: 'standard', accessible: 'accessible', electric: 'electric', family: 'family', motorcycle: 'motorcycle', short_stay: 'short stay',
};

const categoryName = (name: string): string => category[name] ?? name;

const statusText = (text: string): string => (isStatus(text) ? status[text] : text || 'unknown');

/** What happened, after the name of a spot: "c-03 became occupied". */
const change: Record<string, string> = {
  added: 'was added', occupied: 'became occupied', released: 'became free', reserved: 'was reserved', reservation_ended: 'is no longer reserved',
  signal_lost: 'went silent', signal_restored: 'is heard again', closed: 'was closed', reopened: 'was reopened',
  faulted: 'went out of service', repaired: 'is back in service', edited: 'was edited', removed: 'was removed',
};

/** The status that a change leads to by itself; where it is another one, the sentence says which. */
export const expected: Readonly<Record<string, string>> = {
  occupied: 'occupied', released: 'free', reserved: 'reserved', reservation_ended: 'free', signal_lost: 'unknown', closed: 'closed', faulted: 'out_of_service',
};

function happened({ change: kind, status: now }: ParkingEvent): string {
  const said = kind === undefined ? undefined : change[kind];
  if (said === undefined) return `became ${statusText(now)}`;
  if (kind === 'removed' || kind === 'edited' || now === expected[kind!]) return said;
  return `${said}, now ${statusText(now)}`;
}

/** How long ago, short: "now", "40 s", "5 min", "3 h", "2 d". */
function ago(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 10) return 'now';
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const action: Record<Action, string> = {
  occupy: 'Mark occupied', release: 'Mark free', close: 'Close the spot', reopen: 'Reopen', fault: 'Out of service', repair: 'Back in service', end_reservation: 'End reservation',
};

const allowed: Record<Scope, string> = { read: 'may look', ingest: 'may look and send readings', operate: 'may change lots and spots', admin: 'may do everything' };

/** What somebody with this as their strongest scope may do, and where. */
function permission(scope: Scope | undefined, lots: readonly string[] | undefined): string {
  if (scope === undefined || lots?.length === 0) return 'may do nothing here';
  return `${allowed[scope]} in ${lots?.join(', ') ?? 'all lots'}`;
}

const because = (detail: string | undefined) => (detail === undefined ? '.' : `: ${detail.replace(/\.?$/, '.')}`);

/** Why nobody is signed in. */
function setback({ reason, detail }: Setback): string {
  switch (reason) {
    case 'expired': return 'Your sign-in has expired.';
    case 'ended': return `Your sign-in has ended${because(detail)}`;
    case 'refused': return `Your sign-in is not taken any more${because(detail)}`;
    case 'failed': return `Signing in did not succeed${because(detail)}`;
    case 'unreachable': return 'The sign-in service cannot be reached, so that you are not signed in for now.';
    case 'duplicate': return 'This tab is a copy of one in which you are signed in, and needs a sign-in of its own.';
  }
}

/** How one signs in, to somebody who must. */
const signInWay: Record<Way, string> = {
  provider: 'This installation shows its lots to people who have signed in.',
  unreachable: 'This installation shows its lots to people who have signed in. Its sign-in service cannot be reached at present; this page goes on trying.',
  insecure: 'This installation shows its lots to people who have signed in, for which this page must be opened by https.',
  token: 'This installation shows its lots to those who have a token. Whoever operates it makes one:',
};

const problems: Record<NonNullable<Problem['cause']>, { readonly title: string; readonly detail?: string }> = {
  unreachable: { title: 'Parkwire cannot be reached', detail: 'The server does not answer. It may be restarting, or this device has no connection.' },
  unreadable: { title: 'The answer cannot be read' },
  unexpected: { title: 'The answer is not what this page expects' },
  ended: { title: 'Your sign-in has ended', detail: 'It was not done, as your sign-in had ended before.' },
  signInUnreachable: { title: 'The sign-in service cannot be reached', detail: 'Your sign-in goes on as soon as it answers.' },
  noChanges: { title: 'Parkwire sends no changes' },
  fault: { title: 'Something in this page went wrong' },
};

/** What went wrong, in the words of this page where it was the one that found out, else in the platform's. */
const problem = (told: Problem): Problem => (told.cause ? { ...told, ...problems[told.cause] } : told);

export const common = {
  term, status, categoryName, change, statusText, happened, ago, action, permission, setback, signInWay, problem,
  lots: 'Lots', allLots: 'All lots', noSpots: 'No spots yet', full: 'Full', fewLeft: 'Few left',
  freeOf: (total: number): string => `free of ${number(total)}`,
  ofFree: (total: number): string => `of ${number(total)} free`,
  spotsFree: (free: number): string => (free === 1 ? 'spot free' : 'spots free'),
  ofIn: (spots: number, lots: number): string => `of ${number(spots)} in ${number(lots)} ${lots === 1 ? 'lot' : 'lots'}`,
  /** One sentence about counts, to be read out. */
  summary: (name: string, counts: Counts): string => `${name}: ${number(counts.free)} of ${number(counts.total)} spots free.`,
  titleOf: (free: number, name: string): string => `${number(free)} free · ${name}`,
  signIn: 'Sign in', signOut: 'Sign out', signInToSee: 'Sign in to see the lots', signInWithToken: 'Sign in with a token',
  signedInAs: (name: string): string => `Signed in as ${name}`,
  endsSoon: (at: number): string => `Your sign-in ends at ${clockTime(at)}.`,
  token: 'Token', useToken: 'Use it', tokenStays: 'It stays in this tab alone.',
  dismiss: 'Dismiss', tryNow: 'Try now', cancel: 'Cancel', save: 'Save', close: 'Close', remove: 'Remove', edit: 'Edit', loading: 'Loading',
  what: 'What you may do',
};
