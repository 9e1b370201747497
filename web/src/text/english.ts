// Every word that the dashboard says.
import type { Scope, Setback, Way } from '../identity/account';
import type { Action } from '../live/api';
import type { ConnectionState } from '../live/connection';
import type { FeedItem } from '../live/feed';
import type { Counts } from '../live/tally';
import type { ParkingEvent, Status } from '../live/wire';
import { isStatus } from '../live/wire';

const locale = 'en';
const numbers = new Intl.NumberFormat(locale);
export const number = (n: number): string => numbers.format(n);

export const statusName: Record<Status, string> = {
  free: 'free', reserved: 'reserved', occupied: 'occupied', unknown: 'unknown', out_of_service: 'out of service', closed: 'closed',
};

export const categoryName: Record<string, string> = {
  accessible: 'accessible', electric: 'electric', family: 'family', motorcycle: 'motorcycle', short_stay: 'short stay',
};

const statusText = (status: string): string => (isStatus(status) ? statusName[status] : status || 'unknown');

const sentence: Record<string, string> = {
  added: 'was added', occupied: 'became occupied', released: 'became free', reserved: 'was reserved', reservation_ended: 'is no longer reserved',
  signal_lost: 'lost its sensor', signal_restored: 'has its sensor back', closed: 'was closed', reopened: 'was reopened',
  faulted: 'went out of service', repaired: 'is back in service', edited: 'was edited', removed: 'was removed',
};

/** The status that a change leads to by itself; where it is another one, the sentence says which. */
const expected: Record<string, string> = {
  occupied: 'occupied', released: 'free', reserved: 'reserved', reservation_ended: 'free', signal_lost: 'unknown', closed: 'closed', faulted: 'out_of_service',
};

/** What happened, after the name of the spot: "became occupied". */
export function happened({ change, status }: ParkingEvent): string {
  const said = change === undefined ? undefined : sentence[change];
  if (said === undefined) return `became ${statusText(status)}`;
  if (change === 'removed' || change === 'edited' || status === expected[change!]) return said;
  return `${said}, now ${statusText(status)}`;
}

export const gap = ({ since }: FeedItem & { kind: 'gap' }): string =>
  `Changes since ${clockTime(since)} are not all listed here: the connection was lost for too long, or too slow. Counts and spots are up to date.`;

export const connectionName: Record<ConnectionState, string> = {
  connecting: 'Connecting', open: 'Live', reconnecting: 'Reconnecting', offline: 'Offline',
};

export const staleName = 'Delayed';

/** What it means for the viewer that the event log is away. */
export const delay = (asOf: number | undefined): string =>
  `Changes are delayed: the event log is away. What you see is from ${clockTime(asOf ?? Date.now())}; what changed since will follow.`;

/** What an interrupted connection means for the viewer. */
export function staleness(state: ConnectionState, asOf: number | undefined): string {
  if (asOf === undefined) return '';
  const until = `What you see is from ${clockTime(asOf)}`;
  switch (state) {
    case 'offline': return `This device is offline. ${until}.`;
    case 'connecting': return `The live connection is being opened. ${until}.`;
    case 'reconnecting': return `The live connection was lost. ${until}; what changed since will follow.`;
    case 'open': return '';
  }
}

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dated = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' } as Intl.DateTimeFormatOptions);
export const clockTime = (time: number): string => clock.format(time);
/** The time of day, and the day where it was another one. */
export const shortTime = (time: number, now: number): string =>
  new Date(time).toDateString() === new Date(now).toDateString() ? clockTime(time) : fullTime(time);
export const fullTime = (time: number): string => dated.format(time);

/** How long ago, short: "now", "40 s", "5 min", "3 h", "2 d". */
export function ago(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 10) return 'now';
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** One sentence about counts, to be read out. */
export const summary = (name: string, counts: Counts): string => `${name}: ${number(counts.free)} of ${number(counts.total)} spots free.`;

export const percent = (part: number, whole: number): string => (whole === 0 ? '' : `${Math.floor((part / whole) * 100)} %`);

export const actionName: Record<Action, string> = {
  occupy: 'Mark occupied', release: 'Mark free', close: 'Close the spot', reopen: 'Reopen', fault: 'Out of service', repair: 'Back in service', end_reservation: 'End reservation',
};

const allowed: Record<Scope, string> = { read: 'may look', ingest: 'may look and send readings', operate: 'may change lots and spots', admin: 'may do everything' };

/** What somebody with this as their strongest scope may do, and where. */
export function permission(scope: Scope | undefined, lots: readonly string[] | undefined): string {
  if (scope === undefined || lots?.length === 0) return 'may do nothing here';
  return `${allowed[scope]} in ${lots?.join(', ') ?? 'all lots'}`;
}

/** Why nobody is signed in. */
export function setbackText({ reason, detail }: Setback): string {
  switch (reason) {
    case 'expired': return 'Your sign-in has expired.';
    case 'ended': return `Your sign-in has ended${because(detail)}`;
    case 'refused': return `Your sign-in is not taken any more${because(detail)}`;
    case 'failed': return `Signing in did not succeed${because(detail)}`;
    case 'unreachable': return 'The sign-in service cannot be reached, so that you are not signed in for now.';
    case 'duplicate': return 'This tab is a copy of one in which you are signed in, and needs a sign-in of its own.';
  }
}

const because = (detail: string | undefined) => (detail === undefined ? '.' : `: ${detail.replace(/\.?$/, '.')}`);

export const endsSoon = (at: number): string => `Your sign-in ends at ${clockTime(at)}.`;

/** How one signs in, to somebody who must. */
export const signInText: Record<Way, string> = {
  provider: 'This installation shows its lots to people who have signed in.',
  unreachable: 'This installation shows its lots to people who have signed in. Its sign-in service cannot be reached at present; this page goes on trying.',
  insecure: 'This installation shows its lots to people who have signed in, for which this page must be opened by https.',
  token: 'This installation shows its lots to those who have a token. Whoever operates it makes one:',
};
