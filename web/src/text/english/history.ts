// The words of the history of a lot.
import type { Measure, Range } from '../../history/view';
import { number } from '../format';
import { common } from './common';

const range: Record<Range, string> = { hour: 'Last hour', day: '24 hours', week: '7 days', month: '30 days', year: 'A year' };

const measure: Record<Measure, string> = {
  occupancy: 'Occupied, in percent', turnover: 'Stays that ended in an hour', stay: 'Median length of stays, in minutes', silent: 'Unknown, in percent',
};

/** What the service says in its own words, said for those who look at a page. */
const problems: Readonly<Record<string, { readonly title: string; readonly detail: string }>> = {
  'service-not-configured': { title: 'There is no history here', detail: 'This installation runs no history service. All that is live works without it.' },
  'history-not-read': { title: 'The past is not known yet', detail: 'The history service has just started and is reading what happened. It is shown here as soon as it is known.' },
  'database-unavailable': { title: 'The history cannot be read just now', detail: 'Its database does not answer. All that is live goes on, and this page goes on trying.' },
  unavailable: { title: 'The history cannot be read just now', detail: 'Its service does not answer. All that is live goes on, and this page goes on trying.' },
  'lot-not-found': { title: 'Nothing is known of this lot’s past yet', detail: 'It may be so new that the history service has not heard of it. This page goes on trying.' },
  'zone-not-found': { title: 'Nothing is known of this zone’s past', detail: 'No spot has been in it, or it belongs to another lot.' },
};

export const history = {
  range, measure, problems,
  title: (lot: string): string => `History of ${lot}`,
  rangeLabel: 'How long a time', lastDay: 'Last day', earlier: 'Earlier', later: 'Later', toPresent: 'Up to now', zone: common.term.zone, wholeLot: 'Whole lot',
  fetching: 'Fetching …', stillShown: 'What you see was known before.',
  nothing: 'Nothing is known of this time.', time: 'Time',

  asOf: (time: string, zone: string, offset: string): string => `Known up to ${time}. Times are those of the lot’s clocks: ${zone}, now UTC${offset}.`,
  behind: (time: string): string => `The history service is behind: it knows what happened up to ${time}, and is catching up.`,
  silence: (share: string): string => `For ${share} of the time nobody knew what spots were, as their sensors were silent. That time is left out of occupancy; it counts neither as free nor as occupied.`,
  keptFrom: (day: string): string => `What was before ${day} is not kept any more, and left out.`,
  missing: (minutes: string): string => `${minutes} minutes are not kept by the minute any more. Longer times have them.`,

  now: 'Now', nowMore: (occupied: string, offered: string): string => `${occupied} of ${offered} occupied`,
  occupancy: 'Occupancy', onAverage: 'on average', occupiedShare: 'Occupied', fullest: 'Fullest', spots: 'Spots',
  silent: 'Unknown', silentMore: 'silent sensors, left out',
  stays: 'Stays', staysMore: (perHour: string, perSpot: string): string => `${perHour} per hour, ${perSpot} per spot`,
  turnover: 'Turnover', arrivals: 'Arrivals', departures: 'Departures', staysEnded: 'Stays that ended', perHour: 'Per hour', perSpot: 'Per spot',
  lengths: 'How long stays were', median: 'Median', average: 'Average', averageMore: (length: string): string => `${length} on average`,

  span: (first: string, last: string): string => `${first} to ${last}`,
  occupancyLabel: (span: string, most: string, mostAt: string, least: string, leastAt: string): string =>
    `Occupancy, ${span}: at most ${most} (${mostAt}), at least ${least} (${leastAt}). The table has every value.`,
  turnoverLabel: (span: string, stays: string, perHour: string, perSpot: string): string =>
    `Stays that ended, ${span}: ${stays}, which is ${perHour} per hour and ${perSpot} per spot. The table has every value.`,
  lengthsLabel: (span: string, median: string, average: string): string =>
    `Length of stays, ${span}: half were no longer than ${median}, on average they were ${average}. The table has every value.`,

  asTable: 'As a table', tableOf: (what: string): string => `${what}, as a table`,
  asFile: 'As a file:', fileOf: (what: string, format: string): string => `${what} as ${format}`,

  sameDay: 'Within a day only',
  staysCounted: (completed: string, incomplete: number): string =>
    `${completed} stays were seen from start to end.${incomplete > 0 ? ` Of ${number(incomplete)} more the start or the end is not known; they are not counted.` : ''}`,
  noStays: 'No stay ended in this time.',
  percentOfStays: (percent: number): string => `${percent} in 100 stays`, longest: 'The longest stay', staysColumn: 'Share of stays', noLongerThan: 'No longer than',

  heatmap: 'The week, hour by hour', heatmapOf: (from: string, to: string): string => `All hours from ${from} to ${to}, put together.`,
  heatmapCaption: (measure: string): string => `${measure}, by day of the week and hour`,
  measureLabel: 'What is shown', spanLabel: 'Of how many weeks', weeks: (n: number): string => (n === 52 ? 'A year' : `${n} weeks`),
  peak: 'peak hour', peakHours: (spans: readonly string[]): string => `Peak hours: ${spans.join(', ')}.`,
  weekday: 'Day', hour: 'Hour', hours: (from: string, to: string): string => `${from}–${to}`,
  cell: (day: string, hours: string, occupied: string, silent: string): string => `${day} ${hours}: ${occupied} occupied, ${silent} not known`,
  nothingKnown: 'nothing known', allSilent: 'all sensors silent',
};
