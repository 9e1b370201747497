// What a file would change, said with what is there now and what would be: the platform says which spots and fields, the file has the new values.
import { parseFeatures, parseTable, pointOf, type SourceFile } from './files';
import type { Imported, ImportChange, SpotDetails } from './wire';

export interface FieldChange {
  readonly field: string;
  /** Undefined: there is nothing yet. */
  readonly from: string | undefined;
  /** Undefined: nothing any more, or, of outlines, what the platform reckons. */
  readonly to: string | undefined;
}

export interface PreviewRow {
  /** Line of the table, or number of the feature. */
  readonly place: number;
  readonly spotId: string;
  readonly change: ImportChange['change'];
  readonly fields: readonly FieldChange[];
}

const digits = 6; // of degrees: a hand's breadth

type Values = Readonly<Record<string, string>>;

/** The rows of a preview. known are the spots of the lot as they are. */
export function previewOf(file: SourceFile, imported: Imported, known: ReadonlyMap<string, SpotDetails>): PreviewRow[] {
  const valuesAt = reader(file, imported.columns);
  return (imported.changes ?? []).map(({ line, feature, spotId, change, fields }) => {
    const place = line ?? feature ?? 0;
    const values = valuesAt(place);
    const before = known.get(spotId);
    const named = fields ?? ['name', 'zoneId', 'category', 'status', 'location', 'heartbeatSeconds'].filter((field) => toText(values, field) !== undefined);
    return { place, spotId, change, fields: named.map((field) => ({ field, from: before && fromText(before, field), to: toText(values, field) })) };
  });
}

/** Finds what a place of the file says of each field. */
function reader(file: SourceFile, columns: Imported['columns']): (place: number) => Values {
  if (file.kind === 'geojson') {
    const features = parseFeatures(file.text) ?? [];
    return (place) => {
      const feature = features[place - 1];
      const values: Record<string, string> = {};
      for (const { name, field } of columns) {
        const value = feature?.properties?.[name];
        if (field !== undefined && value !== undefined && value !== null) values[field] = String(value).trim();
      }
      const point = feature && pointOf(feature);
      if (point) values.location = degrees(...point);
      return values;
    };
  }
  const lines = new Map(parseTable(file.text).rows.map(({ line, cells }) => [line, cells]));
  return (place) => {
    const cells = lines.get(place) ?? [];
    const values: Record<string, string> = {};
    columns.forEach(({ field }, i) => {
      if (field !== undefined && cells[i] !== undefined) values[field] = cells[i].trim();
    });
    return values;
  };
}

function toText(values: Values, field: string): string | undefined {
  if (field !== 'location') return values[field] || (field === 'category' && values[field] === '' ? 'standard' : undefined);
  const { lat, lon, location } = values;
  if (lat && lon) return degrees(Number(lat.replace(',', '.')), Number(lon.replace(',', '.')));
  return location || undefined;
}

function fromText(spot: SpotDetails, field: string): string | undefined {
  const { location } = spot;
  if (field === 'location') return location && degrees(location.lat, location.lon);
  const value = spot[field as keyof SpotDetails];
  return value === undefined ? undefined : String(value);
}

const degrees = (lat: number, lon: number): string => `${Number(lat.toFixed(digits))}, ${Number(lon.toFixed(digits))}`;

const most = 120; // characters of a row

/** Finds the rows of the file as they are written there, for those who look for what is wrong; long ones are cut. */
export function excerpts(file: SourceFile): (place: number) => string {
  const lines = file.kind === 'table' ? file.text.split(/\r?\n/) : (parseFeatures(file.text) ?? []).map((feature) => JSON.stringify(feature));
  return (place) => {
    const text = lines[place - 1] ?? '';
    return text.length > most ? `${text.slice(0, most)}…` : text;
  };
}
