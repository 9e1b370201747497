// What the platform sends, as far as the dashboard uses it. Everything that comes from outside passes through here.

/** The statuses in the order in which they are counted and drawn. */
export const statuses = ['free', 'reserved', 'occupied', 'unknown', 'out_of_service', 'closed'] as const;
export type Status = (typeof statuses)[number];

export const isStatus = (text: unknown): text is Status => statuses.includes(text as Status);

/** A point on the earth (WGS 84), in degrees. */
export interface Location {
  readonly lat: number;
  readonly lon: number;
}

export interface Lot {
  readonly id: string;
  readonly name: string;
  readonly address?: string;
  readonly location?: Location;
  /** IANA name: by its clocks the past is shown. */
  readonly timeZone?: string;
}

export interface Zone {
  readonly id: string;
  readonly lotId: string;
  readonly name: string;
  readonly level?: number;
}

export interface Spot {
  readonly spotId: string;
  readonly lotId: string;
  readonly zoneId?: string;
  readonly name?: string;
  readonly category?: string;
  readonly location?: Location;
  readonly status: Status;
  readonly version: number;
  readonly changedAt: string;
}

/** One change of one spot. Events of other programs have the first three fields only, and any text as status. */
export interface ParkingEvent {
  readonly spotId: string;
  readonly status: string;
  readonly timestamp: string;
  readonly change?: string;
  readonly previousStatus?: string;
  readonly version?: number;
  readonly lotId?: string;
  readonly zoneId?: string;
}

/** Reads an event. What is none, or a field of another type than ours, is left out: other programs write events too. */
export function parseEvent(message: unknown): ParkingEvent | undefined {
  const fields = message as Record<string, unknown> | null | undefined;
  const spotId = text(fields?.spotId);
  if (!fields || spotId === undefined) return undefined;
  return defined({
    spotId,
    status: text(fields.status) ?? '',
    timestamp: text(fields.timestamp) ?? '',
    change: text(fields.change),
    previousStatus: text(fields.previousStatus),
    version: typeof fields.version === 'number' && fields.version > 0 ? fields.version : undefined,
    lotId: text(fields.lotId),
    zoneId: text(fields.zoneId),
  });
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without the fields that are undefined. */
export function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
