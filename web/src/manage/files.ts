// Files as people have them: text in whatever encoding, a table or GeoJSON.

export interface SourceFile {
  readonly name: string;
  readonly text: string;
  readonly kind: 'table' | 'geojson';
  /** How it was written, where that is not UTF-8. */
  readonly encoding?: string;
}

/** The type to send it as. */
export const mediaType = ({ kind }: SourceFile): string => (kind === 'geojson' ? 'application/geo+json' : 'text/csv; charset=utf-8');

/** Reads a file. What is not UTF-8 is what spreadsheets write: UTF-16, or Windows-1252. */
export function readFile(name: string, bytes: ArrayBuffer): SourceFile {
  const start = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  const utf16 = start[0] === 0xff && start[1] === 0xfe ? 'utf-16le' : start[0] === 0xfe && start[1] === 0xff ? 'utf-16be' : undefined;
  if (utf16) return sourceOf(name, new TextDecoder(utf16).decode(bytes), 'UTF-16');
  try {
    return sourceOf(name, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return sourceOf(name, new TextDecoder('windows-1252').decode(bytes), 'Windows-1252');
  }
}

/** Text that was read or pasted. */
export function sourceOf(name: string, text: string, encoding?: string): SourceFile {
  return { name, text, kind: text.trimStart().startsWith('{') ? 'geojson' : 'table', ...(encoding !== undefined && { encoding }) };
}

export interface Table {
  readonly header: readonly string[];
  /** Each with the line where it begins; the header is line 1. */
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
}

/** Takes a table apart (RFC 4180), separated by comma, semicolon or tab, whichever its header has most of. Rows without anything in them are left out. */
export function parseTable(text: string): Table {
  const separator = separatorOf(text);
  const rows: { line: number; cells: string[] }[] = [];
  let line = 1;
  let begun = 1;
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = () => {
    cells.push(cell);
    if (cells.some((each) => each.trim() !== '')) rows.push({ line: begun, cells });
    cells = [];
    cell = '';
    begun = line;
  };
  for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\n') line++;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] !== '"') quoted = false;
      else {
        cell += '"';
        i++;
      }
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === separator) {
      cells.push(cell);
      cell = '';
    } else if (c === '\n') endRow();
    else if (c !== '\r') cell += c;
  }
  endRow();
  const [head, ...rest] = rows;
  return { header: head?.cells.map((each) => each.trim()) ?? [], rows: rest };
}

function separatorOf(text: string): string {
  const header = text.slice(0, 65_536).split('\n', 1)[0]!.replace(/"[^"]*"/g, '');
  const count = (c: string) => header.split(c).length;
  return [',', ';', '\t'].reduce((best, c) => (count(c) > count(best) ? c : best));
}

export interface Feature {
  readonly id?: string | number;
  readonly geometry?: { readonly type: string; readonly coordinates: unknown } | null;
  readonly properties?: Readonly<Record<string, unknown>> | null;
}

/** The features of a collection; undefined: it is none. */
export function parseFeatures(text: string): readonly Feature[] | undefined {
  try {
    const { type, features } = JSON.parse(text.replace(/^\ufeff/, '')) as { type?: unknown; features?: unknown };
    return type === 'FeatureCollection' && Array.isArray(features) ? (features as Feature[]) : undefined;
  } catch {
    return undefined;
  }
}

/** The place of a point, as [lat, lon]. */
export function pointOf({ geometry }: Feature): readonly [lat: number, lon: number] | undefined {
  const [lon, lat] = geometry?.type === 'Point' && Array.isArray(geometry.coordinates) ? (geometry.coordinates as unknown[]) : [];
  return typeof lat === 'number' && typeof lon === 'number' ? [lat, lon] : undefined;
}

/** A name as names are compared: without case, spaces and punctuation. */
export const plainName = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
