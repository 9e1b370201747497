// Files of spots and lots, and what they would change.
import { describe, expect, test } from 'vitest';
import { parseTable, readFile, sourceOf } from '../src/manage/files';
import { planLots } from '../src/manage/lotfile';
import { excerpts, previewOf } from '../src/manage/preview';
import type { Imported, LotDetails, SpotDetails } from '../src/manage/wire';

describe('a table', () => {
  test('is taken apart as it is quoted, with the lines where its rows begin', () => {
    expect(parseTable('\ufeffid,name\r\n1,"Say ""hello"",\nplease"\r\n\r\n2,Two\r\n')).toEqual({
      header: ['id', 'name'], rows: [{ line: 2, cells: ['1', 'Say "hello",\nplease'] }, { line: 5, cells: ['2', 'Two'] }],
    });
  });

  test('is separated by what its header has most of', () => {
    expect(parseTable('id;lat\n1;48,1').rows[0]!.cells).toEqual(['1', '48,1']);
    expect(parseTable('id\t"a,b,c"\n1\t2').header).toEqual(['id', 'a,b,c']);
    expect(parseTable('')).toEqual({ header: [], rows: [] });
  });
});

describe('a file', () => {
  const bytes = (...values: number[]) => new Uint8Array(values).buffer;

  test('is read in the encoding in which spreadsheets write it', () => {
    expect(readFile('a.csv', new TextEncoder().encode('Ä').buffer as ArrayBuffer)).toEqual({ name: 'a.csv', text: 'Ä', kind: 'table' });
    expect(readFile('a.csv', bytes(0xc4))).toEqual({ name: 'a.csv', text: 'Ä', kind: 'table', encoding: 'Windows-1252' });
    expect(readFile('a.csv', bytes(0xff, 0xfe, 0xc4, 0)).text).toBe('Ä');
  });

  test('is GeoJSON where it begins so', () => {
    expect([sourceOf('x.csv', ' {"type":"FeatureCollection"}').kind, sourceOf('', 'id,name').kind]).toEqual(['geojson', 'table']);
  });
});

const spot = (spotId: string, more: Partial<SpotDetails> = {}): SpotDetails => ({
  spotId, lotId: 'central', status: 'free', version: 1, changedAt: '', occupancy: 'free', closed: false, faulted: false, category: 'standard', ...more,
});
const report = (more: Partial<Imported>): Imported => ({ dryRun: true, added: 0, changed: 0, unchanged: 0, rejected: 0, zonesAdded: [], columns: [], errors: [], ...more });

describe('the preview of a file of spots', () => {
  test('says what each field is and will be', () => {
    const file = sourceOf('', 'bay;zone;latitude;longitude;label;color\nA-1;L1;48,1;11,5;;red\nA-2;;;;Two;blue');
    const imported = report({
      columns: [{ name: 'bay', field: 'spotId' }, { name: 'zone', field: 'zoneId' }, { name: 'latitude', field: 'lat' }, { name: 'longitude', field: 'lon' }, { name: 'label', field: 'name' }, { name: 'color' }],
      changes: [{ line: 2, spotId: 'A-1', change: 'changed', fields: ['zoneId', 'location', 'name'] }, { line: 3, spotId: 'A-2', change: 'added' }],
    });
    expect(previewOf(file, imported, new Map([['A-1', spot('A-1', { name: 'One', location: { lat: 48.2, lon: 11.5 } })]]))).toEqual([
      {
        place: 2, spotId: 'A-1', change: 'changed',
        fields: [{ field: 'zoneId', from: undefined, to: 'L1' }, { field: 'location', from: '48.2, 11.5', to: '48.1, 11.5' }, { field: 'name', from: 'One', to: undefined }],
      },
      { place: 3, spotId: 'A-2', change: 'added', fields: [{ field: 'name', from: undefined, to: 'Two' }] },
    ]);
  });

  test('reads features, with their places', () => {
    const file = sourceOf('', JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', id: 'A-1', geometry: { type: 'Point', coordinates: [11.5, 48.1] }, properties: { category: 'electric' } }] }));
    const imported = report({ columns: [{ name: 'category', field: 'category' }], changes: [{ feature: 1, spotId: 'A-1', change: 'changed', fields: ['category', 'location'] }] });
    expect(previewOf(file, imported, new Map([['A-1', spot('A-1')]]))[0]!.fields).toEqual([
      { field: 'category', from: 'standard', to: 'electric' }, { field: 'location', from: undefined, to: '48.1, 11.5' },
    ]);
  });

  test('shows a row as it is written, shortened', () => {
    const row = excerpts(sourceOf('', `id\n${'x'.repeat(300)}`));
    expect([row(1), row(2).length, row(9)]).toEqual(['id', 121, '']);
  });
});

describe('a file of lots', () => {
  const known: LotDetails[] = [{ id: 'central', name: 'Central', timeZone: 'Europe/Berlin', location: { lat: 48.1, lon: 11.5 } }];
  const plan = (text: string, allowed = (_: string) => true) => planLots(sourceOf('', text), known, allowed)!;

  test('is set against the lots that are there', () => {
    const { entries, faults } = plan('lot_id,Name,lat,lon,owner\ncentral,Zentrum,48.10,11.5,x\nharbour,Harbour,,,y');
    expect(faults).toEqual([]);
    expect(entries).toMatchObject([
      { place: 2, id: 'central', change: 'changed', patch: { name: 'Zentrum' }, fields: [{ field: 'name', from: 'Central', to: 'Zentrum' }] },
      { place: 3, id: 'harbour', change: 'added', patch: { id: 'harbour', name: 'Harbour' } },
    ]);
  });

  test('changes nothing that it has no column for, and takes away what is empty', () => {
    expect(plan('id,name\ncentral,Central').entries).toMatchObject([{ change: 'unchanged', patch: {} }]);
    expect(plan('id,lat,lon\ncentral,,').entries).toMatchObject([{ change: 'changed', patch: { location: null } }]);
  });

  test('is told which rows are not right', () => {
    const { entries, faults } = plan('id,name,lat,lon\na/b,Slash,,\ncentral,,,\nharbour,Harbour,95,1\nnorth,North,,\nnorth,Again,,\nsouth,South,,', (id) => id !== 'south');
    expect(entries.map(({ id }) => id)).toEqual(['north']);
    expect(faults.map(({ place, field, fault }) => [place, field, fault])).toEqual([
      [2, 'id', 'id'], [3, 'name', 'missing'], [4, 'lat', 'lat'], [6, undefined, 'twice'], [7, undefined, 'forbidden'],
    ]);
  });

  test('may be GeoJSON', () => {
    const text = JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: { id: 'n', title: 'North' }, geometry: { type: 'Point', coordinates: [11.5, 48.1] } }] });
    expect(plan(text).entries).toMatchObject([{ place: 1, id: 'n', change: 'added', patch: { id: 'n', name: 'North', location: { lat: 48.1, lon: 11.5 } } }]);
  });

  test('must be one', () => {
    for (const none of ['name,address\nx,y', '{"type":"Topology"}', '']) expect(planLots(sourceOf('', none), known, () => true), none).toBeUndefined();
  });
});
