// What goes over the wire, protocol parkwire.v1: api/asyncapi.yaml specifies it.

export const protocol = 'parkwire.v1';

/** What a spot is to somebody who looks for one; `removed` only in the last event of a spot. */
export type Status = 'free' | 'occupied' | 'reserved' | 'closed' | 'out_of_service' | 'unknown' | 'removed';

/** What happened to a spot. */
export type Change =
  | 'added' | 'occupied' | 'released' | 'reserved' | 'reservation_ended' | 'signal_lost' | 'signal_restored'
  | 'closed' | 'reopened' | 'faulted' | 'repaired' | 'edited' | 'removed';

/** One change of one spot, as Parkwire writes it. Times are RFC 3339, UTC, with milliseconds. */
export interface SpotEvent {
  readonly type: 'ParkingSpotUpdated';
  readonly spotId: string;
  readonly status: Status;
  /** When the change was accepted. */
  readonly timestamp: string;
  readonly eventId: string;
  readonly change: Change;
  /** Absent in `added`. */
  readonly previousStatus?: Status;
  /** 1, 2, 3 … for each spot, without a hole. */
  readonly version: number;
  readonly lotId: string;
  readonly zoneId?: string;
  /** When a sensor or an operator saw it. */
  readonly observedAt?: string;
  readonly source?: 'sensor' | 'operator' | 'system';
}

/**
 * An event that another program wrote to the log. Only `spotId` is sure; the others are there as that program wrote them,
 * unchecked. Having no version, it is never taken for a duplicate and never part of a snapshot.
 */
export interface OtherEvent {
  readonly spotId: string;
  readonly version?: undefined;
  readonly type?: unknown;
  readonly status?: unknown;
  readonly timestamp?: unknown;
  readonly change?: unknown;
  readonly lotId?: unknown;
  readonly zoneId?: unknown;
}

/** `version` tells which of both it is: `if (event.version !== undefined)`. */
export type ParkingEvent = SpotEvent | OtherEvent;

/**
 * Which events are wanted: those that match one of the values of every field that has any. The empty filter matches
 * everything. At most 1,000 values in all subscriptions of a client together.
 */
export interface Filter {
  readonly lot?: readonly string[];
  readonly zone?: readonly string[];
  readonly spot?: readonly string[];
  readonly status?: readonly Status[];
  readonly change?: readonly Change[];
}

/** @internal What the server sends. Unknown types and fields are ignored. */
export type ServerMessage =
  | { readonly type: 'Welcome'; readonly cursor: string; readonly heartbeatMs: number }
  | { readonly type: 'Subscribed'; readonly id: string; readonly cursor: string }
  | { readonly type: 'Reset'; readonly id: string; readonly reason: string }
  | { readonly type: 'Snapshot'; readonly id: string; readonly events: readonly ParkingEvent[]; readonly complete?: boolean; readonly cursor?: string }
  | { readonly type: 'Events'; readonly id?: string; readonly events: readonly ParkingEvent[]; readonly cursor: string }
  | { readonly type: 'Foreign'; readonly message: unknown }
  | { readonly type: 'Heartbeat'; readonly cursor: string }
  | { readonly type: 'Stale'; readonly stale_since: string }
  | { readonly type: 'Fresh' }
  | { readonly type: 'Conflated'; readonly after: string; readonly omitted: number }
  | { readonly type: 'Error'; readonly code: string; readonly message: string; readonly id?: string; readonly field?: string }
  | { readonly type: 'Retry'; readonly afterMs: number; readonly reason: string };

/** @internal Reads a frame; undefined for what is no message. */
export function parse(data: unknown): ServerMessage | undefined {
  try {
    const message = JSON.parse(String(data));
    return typeof message?.type === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

type Field = readonly [keyof Filter, 'lotId' | 'zoneId' | 'spotId' | 'status' | 'change'];
const fields: readonly Field[] = [['lot', 'lotId'], ['zone', 'zoneId'], ['spot', 'spotId'], ['status', 'status'], ['change', 'change']];

/** @internal How many values a filter has. */
export const size = (filter: Filter): number => fields.reduce((sum, [name]) => sum + (filter[name]?.length ?? 0), 0);

/** @internal The fields of a filter that have values, copied. */
export const filterOf = (filter: Filter): Filter =>
  Object.fromEntries(fields.flatMap(([name]) => (filter[name]?.length ? [[name, [...filter[name]]]] : [])));

/** @internal The filter as a function. The server says only that an event matches some subscription of the connection. */
export function matcher(filter: Filter): (event: ParkingEvent) => boolean {
  const sets = fields.flatMap(([name, of]) => (filter[name]?.length ? [[of, new Set<unknown>(filter[name])] as const] : []));
  return (event) => sets.every(([of, values]) => values.has(event[of]));
}

/** What went wrong, with a code for programs. */
export class ParkwireError extends Error {
  override readonly name = 'ParkwireError';

  /**
   * `code` is one of the protocol's (`invalid-filter`, `too-many-subscriptions`, `forbidden`, `unauthorized` …), or of the client's own:
   * `token` (the provider failed; `cause` tells why) and `socket` (the WebSocket could not be made, or reported an error).
   */
  constructor(readonly code: string, message: string, readonly field?: string, cause?: unknown) {
    super(message, { cause });
  }
}
