// What is filled in of lots, zones and spots: each field as text, whether it is right, and what of it is new to the platform.
import type { Zone } from '../live/wire';
import type { Patch } from './api';
import type { LotDetails, Place, SpotDetails } from './wire';

export type Values = Readonly<Record<string, string>>;
/** What may be wrong with a field; each has its words. */
export type Fault = 'missing' | 'id' | 'long' | 'lat' | 'lon' | 'both' | 'heartbeat' | 'level' | 'timeZone' | 'future';
export type Faults<V> = { readonly [F in keyof V]?: Fault };

export interface Form<T, V extends Values> {
  /** Something as it is filled in; undefined: an empty form. */
  values(item?: T): V;
  check(values: V, adding: boolean): Faults<V>;
  /** What differs from what was, as the platform takes it: null takes away. */
  patch(values: V, from: V): Patch;
  /** The field that the platform calls so. */
  fieldOf(name: string): keyof V | undefined;
}

export type LotValues = Record<'id' | 'name' | 'address' | 'timeZone' | 'lat' | 'lon' | 'heartbeat', string>;
export type ZoneValues = Record<'id' | 'name' | 'level', string>;
export type SpotValues = Record<'id' | 'name' | 'zoneId' | 'category' | 'lat' | 'lon' | 'heartbeat' | 'status', string>;

const longestName = 200;
const longestAddress = 500;
const longestHeartbeat = 604_800;

/** A number as people write it, with a comma too; NaN: it is none. */
export const toNumber = (text: string): number => (text.trim() === '' ? NaN : Number(text.trim().replace(',', '.')));

const within = (text: string, least: number, most: number) => toNumber(text) >= least && toNumber(text) <= most;
const whole = (text: string, least: number, most: number) => Number.isInteger(toNumber(text)) && within(text, least, most);

/** The platform takes as an id what is one part of an address and can be read. */
export function validId(id: string): boolean {
  return id !== '' && id === id.trim() && id !== '.' && id !== '..' && !/[/\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(id) && new TextEncoder().encode(id).length <= 128;
}

function checkId(id: string): Fault | undefined {
  if (id.trim() === '') return 'missing';
  return validId(id.trim()) ? undefined : 'id';
}

const checkName = (name: string): Fault | undefined => (name.trim() === '' ? 'missing' : [...name].length > longestName ? 'long' : undefined);
const checkHeartbeat = (text: string): Fault | undefined => (text.trim() === '' || whole(text, 0, longestHeartbeat) ? undefined : 'heartbeat');

function checkTimeZone(name: string): Fault | undefined {
  try {
    if (name.trim() !== '') new Intl.DateTimeFormat('en', { timeZone: name.trim() });
    return undefined;
  } catch {
    return 'timeZone';
  }
}

function checkPlace({ lat, lon }: { readonly lat: string; readonly lon: string }): { lat?: Fault; lon?: Fault } {
  if (lat.trim() === '' && lon.trim() === '') return {};
  const wrong: { lat?: Fault; lon?: Fault } = {};
  if (lat.trim() === '') wrong.lat = 'both';
  else if (!within(lat, -90, 90)) wrong.lat = 'lat';
  if (lon.trim() === '') wrong.lon = 'both';
  else if (!within(lon, -180, 180)) wrong.lon = 'lon';
  return wrong;
}

const placed = (location: Place | undefined) => ({ lat: location ? String(location.lat) : '', lon: location ? String(location.lon) : '' });
const seconds = (heartbeat: number | undefined) => (heartbeat ? String(heartbeat) : '');

/** The faults that there are. */
function faults<V>(found: { readonly [F in keyof V]?: Fault | undefined }): Faults<V> {
  return Object.fromEntries(Object.entries(found).filter(([, fault]) => fault !== undefined)) as Faults<V>;
}

/** Collects what differs. */
class Differences<V extends Values> {
  readonly patch: Record<string, unknown> = {};

  constructor(private readonly values: V, private readonly from: V) {}

  differs(...fields: (keyof V)[]): boolean {
    return fields.some((field) => this.text(field) !== this.from[field]!.trim());
  }

  text(field: keyof V): string {
    return this.values[field]!.trim();
  }

  /** A field that is text, or nothing. */
  put(field: keyof V, name: string = String(field), read: (text: string) => unknown = (text) => text): this {
    if (this.differs(field)) this.patch[name] = this.text(field) === '' ? null : read(this.text(field));
    return this;
  }

  place(): this {
    if (!this.differs('lat', 'lon')) return this;
    const none = this.text('lat') === '' && this.text('lon') === '';
    this.patch.location = none ? null : { lat: toNumber(this.text('lat')), lon: toNumber(this.text('lon')) };
    return this;
  }
}

const called: Readonly<Record<string, string>> = { spotId: 'id', lotId: 'id', location: 'lat', heartbeatSeconds: 'heartbeat' };

function among<V extends Values>(values: V, name: string): keyof V | undefined {
  const last = name.split('.').at(-1)!;
  const field = called[last] ?? last;
  return Object.hasOwn(values, field) ? (field as keyof V) : undefined;
}

export const lotForm: Form<LotDetails, LotValues> = {
  values: (lot) => ({ id: lot?.id ?? '', name: lot?.name ?? '', address: lot?.address ?? '', timeZone: lot?.timeZone ?? '', ...placed(lot?.location), heartbeat: seconds(lot?.heartbeatSeconds) }),
  check: (values, adding) => faults<LotValues>({
    id: adding ? checkId(values.id) : undefined, name: checkName(values.name), address: [...values.address].length > longestAddress ? 'long' : undefined,
    timeZone: checkTimeZone(values.timeZone), ...checkPlace(values), heartbeat: checkHeartbeat(values.heartbeat),
  }),
  patch: (values, from) => new Differences(values, from).put('id').put('name').put('address').put('timeZone').place().put('heartbeat', 'heartbeatSeconds', toNumber).patch,
  fieldOf: (name) => among(lotForm.values(), name),
};

/** The lot as it will be. */
export function lotOf(values: LotValues, before: LotDetails | undefined): LotDetails {
  const text = (field: keyof LotValues) => values[field].trim();
  const { address: _, location: __, ...rest }: Partial<LotDetails> & { readonly id: string } = before ?? { id: text('id') };
  return {
    ...rest, name: text('name'), timeZone: text('timeZone') || 'UTC',
    ...(text('address') !== '' && { address: text('address') }),
    ...(text('lat') !== '' && { location: { lat: toNumber(text('lat')), lon: toNumber(text('lon')) } }),
  };
}

export const zoneForm: Form<Zone, ZoneValues> = {
  values: (zone) => ({ id: zone?.id ?? '', name: zone?.name ?? '', level: zone?.level === undefined ? '' : String(zone.level) }),
  check: (values, adding) => faults<ZoneValues>({
    id: adding ? checkId(values.id) : undefined, name: checkName(values.name), level: values.level.trim() === '' || whole(values.level, -100, 1000) ? undefined : 'level',
  }),
  patch: (values, from) => new Differences(values, from).put('id').put('name').put('level', 'level', toNumber).patch,
  fieldOf: (name) => among(zoneForm.values(), name),
};

export const spotForm: Form<SpotDetails, SpotValues> = {
  values: (spot) => ({
    id: spot?.spotId ?? '', name: spot?.name ?? '', zoneId: spot?.zoneId ?? '', category: spot?.category ?? 'standard', ...placed(spot?.location),
    heartbeat: seconds(spot?.heartbeatSeconds), status: '',
  }),
  check: (values, adding) => faults<SpotValues>({
    id: adding ? checkId(values.id) : undefined, name: [...values.name].length > longestName ? 'long' : undefined, ...checkPlace(values), heartbeat: checkHeartbeat(values.heartbeat),
  }),
  patch: (values, from) => new Differences(values, from).put('id', 'spotId').put('name').put('zoneId').put('category').place().put('heartbeat', 'heartbeatSeconds', toNumber).put('status').patch,
  fieldOf: (name) => among(spotForm.values(), name),
};

/** A field that two have changed. */
export interface Clash<V> {
  readonly field: keyof V & string;
  readonly theirs: string;
}

/** What is filled in, put onto what somebody else has made of it meanwhile. Where both changed the same field, what is filled in stays, and is a clash. */
export function rebase<V extends Values>(opened: V, mine: V, latest: V): { readonly values: V; readonly clashes: readonly Clash<V>[] } {
  const clashes: Clash<V>[] = [];
  const values: Record<string, string> = {};
  for (const field of Object.keys(mine) as (keyof V & string)[]) {
    const changed = mine[field] !== opened[field];
    values[field] = changed ? mine[field]! : latest[field]!;
    if (changed && latest[field] !== opened[field] && latest[field] !== mine[field]) clashes.push({ field, theirs: latest[field]! });
  }
  return { values: values as unknown as V, clashes };
}

export const mostSpots = 10_000; // that are added at once

/** The ids of spots that are numbered. Undefined: that is no series, or too long a one. */
export function series(before: string, from: string, to: string, after = ''): string[] | undefined {
  const [first, last] = [Number(from), Number(to)];
  if (!/^\d+$/.test(from) || !/^\d+$/.test(to) || last < first || last - first >= mostSpots) return undefined;
  const ids = Array.from({ length: last - first + 1 }, (_, i) => before.trimStart() + String(first + i).padStart(from.length, '0') + after.trimEnd());
  return ids.every(validId) ? ids : undefined;
}
