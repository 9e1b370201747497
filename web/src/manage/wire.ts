// What the platform knows of lots and spots beyond what is looked at: what one needs to change them.
import type { Action } from '../live/api';
import type { Lot, Spot } from '../live/wire';

/** The categories, as the platform lists them. */
export const categories = ['standard', 'accessible', 'electric', 'family', 'motorcycle', 'short_stay'] as const;

/** What a spot may be when it is added. */
export const firstStatuses = ['free', 'occupied', 'unknown', 'closed', 'out_of_service'] as const;

export interface Place {
  readonly lat: number;
  readonly lon: number;
}

export interface LotDetails extends Lot {
  readonly timeZone: string;
  readonly location?: Place;
  readonly heartbeatSeconds?: number;
}

export interface Reservation {
  readonly reference?: string;
  readonly until?: string;
  readonly reservedAt: string;
}

/** A spot with what is behind its status: several may hold at once. */
export interface SpotDetails extends Spot {
  readonly occupancy: 'free' | 'occupied' | 'unknown';
  readonly closed: boolean;
  readonly faulted: boolean;
  readonly reservation?: Reservation;
  readonly location?: Place;
  readonly heartbeatSeconds?: number;
  readonly sensorId?: string;
}

/** Something with the mark by which the platform tells whether it was changed meanwhile. */
export interface Versioned<T> {
  readonly item: T;
  readonly etag: string | undefined;
}

/** What somebody does to a spot. */
export type Act =
  | { readonly action: Action }
  | { readonly action: 'reserve'; readonly reference?: string; readonly until?: string };

/** Where in a file something is: one of the two is there. */
export interface FilePlace {
  readonly line?: number;
  readonly feature?: number;
}

export interface ImportChange extends FilePlace {
  readonly spotId: string;
  readonly change: 'added' | 'changed';
  /** What would be changed. */
  readonly fields?: readonly string[];
}

export interface ImportFault extends FilePlace {
  readonly spotId?: string;
  readonly field?: string;
  readonly reason: string;
  readonly remedy: string;
}

/** What became of a file, or, of a dry run, what would. */
export interface Imported {
  readonly dryRun: boolean;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly zonesAdded: readonly string[];
  readonly columns: readonly { readonly name: string; readonly field?: string }[];
  readonly changes?: readonly ImportChange[];
  readonly changesOmitted?: number;
  readonly errors: readonly ImportFault[];
  readonly errorsOmitted?: number;
}
