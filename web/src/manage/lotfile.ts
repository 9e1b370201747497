// A file of lots: what it says of each, against the lots that are there. The platform takes lots one by one, so that this page reads the file.
import type { Patch } from './api';
import { parseFeatures, parseTable, plainName, pointOf, type SourceFile } from './files';
import { lotForm, toNumber, type Fault, type LotValues } from './forms';
import type { LotDetails } from './wire';

/** Names of each field; they are compared without case, spaces and punctuation. */
const names: Record<keyof LotValues, readonly string[]> = {
  id: ['id', 'lotid', 'lot', 'facilityid', 'garageid', 'siteid'],
  name: ['name', 'lotname', 'title', 'label'],
  address: ['address', 'street'],
  timeZone: ['timezone', 'tz'],
  lat: ['lat', 'latitude', 'y'],
  lon: ['lon', 'lng', 'long', 'longitude', 'x'],
  heartbeat: ['heartbeatseconds', 'heartbeat'],
};

export interface LotEntry {
  readonly place: number;
  readonly id: string;
  readonly change: 'added' | 'changed' | 'unchanged';
  readonly fields: readonly { readonly field: keyof LotValues; readonly from: string | undefined; readonly to: string | undefined }[];
  /** As it will be. */
  readonly values: LotValues;
  readonly patch: Patch;
}

export interface LotFault {
  readonly place: number;
  readonly id: string;
  readonly field: keyof LotValues | undefined;
  readonly fault: Fault | 'twice' | 'forbidden';
}

export interface LotPlan {
  readonly columns: readonly { readonly name: string; readonly field?: keyof LotValues }[];
  readonly entries: readonly LotEntry[];
  readonly faults: readonly LotFault[];
}

interface Row {
  readonly place: number;
  readonly values: Partial<LotValues>;
}

/** What is to be done. Undefined: the file is no table with ids and no collection of features. A column that is there is what holds; what has none stays. */
export function planLots(file: SourceFile, known: readonly LotDetails[], allowed: (lotId: string) => boolean): LotPlan | undefined {
  const read = file.kind === 'geojson' ? readFeatures(file.text) : readTable(file.text);
  if (!read) return undefined;
  const before = new Map(known.map((lot) => [lot.id, lot]));
  const seen = new Set<string>();
  const entries: LotEntry[] = [];
  const faults: LotFault[] = [];
  for (const { place, values } of read.rows) {
    const id = values.id ?? '';
    const there = before.get(id);
    const from = lotForm.values(there);
    const to: LotValues = { ...from, ...values };
    if (there && to.timeZone === '') to.timeZone = 'UTC'; // which is what a lot without one has
    const [field, fault] = Object.entries(lotForm.check(to, true))[0] ?? [];
    const wrong = fault ?? (seen.has(id) ? 'twice' : allowed(id) ? undefined : 'forbidden');
    if (wrong !== undefined) {
      faults.push({ place, id, field: field as keyof LotValues | undefined, fault: wrong });
      continue;
    }
    seen.add(id);
    const changed = (Object.keys(to) as (keyof LotValues)[]).filter((each) => to[each] !== from[each]);
    entries.push({
      place, id, values: to, patch: lotForm.patch(to, from), change: !there ? 'added' : changed.length > 0 ? 'changed' : 'unchanged',
      fields: changed.filter((each) => each !== 'id').map((each) => ({ field: each, from: from[each] || undefined, to: to[each] || undefined })),
    });
  }
  return { columns: read.columns, entries, faults };
}

interface Read {
  readonly columns: LotPlan['columns'];
  readonly rows: readonly Row[];
}

function readTable(text: string): Read | undefined {
  const { header, rows } = parseTable(text);
  const columns = describe(header);
  if (!columns.some(({ field }) => field === 'id')) return undefined;
  return {
    columns,
    rows: rows.map(({ line, cells }) => ({
      place: line, values: Object.fromEntries(columns.flatMap(({ field }, i) => (field === undefined ? [] : [[field, number(field, (cells[i] ?? '').trim())] as const]))),
    })),
  };
}

function readFeatures(text: string): Read | undefined {
  const features = parseFeatures(text);
  if (!features) return undefined;
  const columns = describe([...new Set(features.flatMap(({ properties }) => Object.keys(properties ?? {})))]);
  return {
    columns,
    rows: features.map((feature, i) => {
      const values: Partial<LotValues> = feature.id === undefined ? {} : { id: String(feature.id) };
      for (const { name, field } of columns) {
        const value = feature.properties?.[name];
        if (field !== undefined && value !== undefined) values[field] = value === null ? '' : number(field, String(value).trim());
      }
      const point = pointOf(feature);
      return { place: i + 1, values: point ? { ...values, lat: String(point[0]), lon: String(point[1]) } : values };
    }),
  };
}

/** Which column is which field: of several the best name, then the first. */
function describe(header: readonly string[]): LotPlan['columns'] {
  const taken = new Map<number, keyof LotValues>();
  for (const field of Object.keys(names) as (keyof LotValues)[]) {
    const ranks = header.map((name) => names[field].indexOf(plainName(name)));
    const best = Math.min(...ranks.filter((rank) => rank >= 0));
    if (Number.isFinite(best)) taken.set(ranks.indexOf(best), field);
  }
  return header.map((name, i) => {
    const field = taken.get(i);
    return field === undefined ? { name } : { name, field };
  });
}

/** Numbers are compared as numbers, and may have a comma. */
function number(field: keyof LotValues, text: string): string {
  const value = field === 'lat' || field === 'lon' || field === 'heartbeat' ? toNumber(text) : NaN;
  if (Number.isNaN(value)) return text;
  return field === 'heartbeat' && value === 0 ? '' : String(value);
}
