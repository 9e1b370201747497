// What the platform tells of one spot beyond what the table shows.
import type { Location, Spot } from '../live/wire';

/** A spot with what is behind its status: several may hold at once. */
export interface SpotFacts extends Spot {
  readonly occupancy: 'free' | 'occupied' | 'unknown';
  readonly closed: boolean;
  readonly faulted: boolean;
  readonly reservation?: { readonly reference?: string; readonly until?: string; readonly reservedAt: string };
  readonly location?: Location;
  readonly sensorId?: string;
  readonly heartbeatSeconds?: number;
  /** Of the last reading that was taken. */
  readonly lastObservedAt?: string;
}

/** Something that happened to it: a change, or a reading that came too late to be one. */
export interface Entry {
  readonly change: string;
  /** Of a late reading what it said. */
  readonly status: string;
  readonly previousStatus?: string;
  readonly version?: number;
  readonly eventId?: string;
  readonly observedAt?: string;
  readonly recordedAt: string;
  readonly source: string;
  /** Who did it: the subject of a token. */
  readonly by?: string;
}

export interface EntryPage {
  readonly items: readonly Entry[];
  readonly next?: string;
}
