// What the history service answers, as far as the dashboard shows it. api/openapi.yaml has every field, docs/history.md what they mean.

/** What is measured of a time. Null is what cannot be said of it, which is never the same as none. */
export interface Measures {
  /** How many there were on the average. */
  readonly spots: number;
  readonly totalSessions: number;
  readonly turnoverPerHour: number;
  readonly sessionsPerSpot: number | null;
  readonly averageDwellTimeMinutes: number | null;
  readonly medianDwellTimeMinutes: number | null;
  /** From 0 to 1. Time of silent sensors is left out. */
  readonly occupancy: number | null;
  /** The share of all time in which nobody knew. */
  readonly silentShare: number | null;
  readonly arrivals: number;
  readonly departures: number;
  readonly lengthSeconds: number;
}

/** A minute, an hour or a day. Its times carry the offset of the lot's clocks. */
export interface Bucket extends Measures {
  readonly begin: string;
  readonly end: string;
  readonly ongoing: boolean;
}

export type Interval = 'minute' | 'hour' | 'day';

/** What an answer is about. */
export interface Report {
  readonly lotId: string;
  readonly zoneId?: string;
  readonly timeZone: string;
  readonly from: string;
  readonly to: string;
  /** Up to when it is known what happened. */
  readonly asOf: string;
  /** What was before is not kept any more; absent where everything is. */
  readonly keptFrom?: string;
}

export interface Metrics extends Report {
  readonly interval: Interval;
  readonly items: readonly Bucket[];
  /** How many minutes are not kept so finely any more. */
  readonly missing?: number;
  readonly total: Measures;
  readonly peak: { readonly begin: string; readonly occupancy: number } | null;
}

/** One hour of the clocks on one day of the week, all that there were put together. */
export interface HourOfWeek extends Measures {
  /** 1: Monday. */
  readonly weekday: number;
  readonly hour: number;
}

export interface Heatmap extends Report {
  /** All 168. */
  readonly items: readonly HourOfWeek[];
  readonly peakHours: readonly number[];
  readonly total: Measures;
}

/** How long stays were, in minutes. `p90`: nine in ten were no longer. */
export const percentiles = ['p5', 'p10', 'p25', 'median', 'p75', 'p90', 'p95', 'p99'] as const;
export type Percentile = (typeof percentiles)[number];
export type Dwells = Readonly<Record<Percentile | 'average' | 'shortest' | 'longest', number>>;

export interface Stay {
  readonly spotId: string;
  readonly lotId?: string;
  readonly zoneId?: string;
  readonly begin: string;
  readonly end: string;
  readonly dwellTimeMinutes: number;
  /** It was seen to begin and to end. */
  readonly completed: boolean;
  readonly sameDay: boolean;
  /** A status, or `hole`. */
  readonly statusBefore?: string;
  readonly statusAfter?: string;
}

export interface Statistics {
  /** How many were completed. */
  readonly totalSessions: number;
  readonly incomplete: number;
  readonly dwellTimeMinutes: Dwells | null;
}

export interface Stays {
  readonly items: readonly Stay[];
  readonly next?: string;
  readonly timeZone: string;
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
  /** On the first page alone. */
  readonly statistics?: Statistics;
  /** Of one spot, the stay that goes on. */
  readonly ongoing?: { readonly spotId: string; readonly begin: string; readonly statusBefore?: string };
}

/** The time from one change of a spot's status to the next; without an end it goes on. */
export interface SpotInterval {
  readonly lotId?: string;
  readonly zoneId?: string;
  readonly status: string;
  readonly begin: string;
  readonly end?: string;
  readonly lengthSeconds?: number;
}

export interface SpotIntervals {
  readonly items: readonly SpotInterval[];
  readonly next?: string;
  readonly spotId: string;
  readonly timeZone: string;
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
}
