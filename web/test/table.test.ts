import { effect, signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Parking } from '../src/live/parking';
import { statuses, type ParkingEvent, type Spot } from '../src/live/wire';
import { Listing } from '../src/table/listing';
import { Rows } from '../src/table/rows';
import { isNarrow, parametersOf, readView, sortedBy, type View } from '../src/table/view';
import { pace } from '../src/ui/pace';

const at = (second: number) => `2026-11-24T03:35:${String(second).padStart(2, '0')}.000Z`;
const spot = (spotId: string, more: Partial<Spot> = {}): Spot => ({ spotId, lotId: 'central', status: 'free', version: 1, changedAt: at(0), ...more });
const usual: View = readView(new URLSearchParams());

function parking(...spots: Spot[]): Parking {
  const made = new Parking();
  made.load([{ id: 'central', name: 'Central Station' }, { id: 'harbour', name: 'Am Hafen' }], spots);
  made.setZones('central', [{ id: 'z1', lotId: 'central', name: 'Étage 1' }]);
  return made;
}

const some = () => parking(
  spot('c-10', { status: 'occupied', changedAt: at(30), category: 'electric', zoneId: 'z1' }),
  spot('c-2', { changedAt: at(10) }),
  spot('h-1', { lotId: 'harbour', status: 'unknown', changedAt: at(20), name: 'Berth 1' }),
);
const found = (state: Parking, view: Partial<View>) => new Rows(state).find({ ...usual, ...view }).cells.map((cell) => cell.peek().spotId);

describe('rows', () => {
  test('are all spots by name, numbers as numbers', () => {
    expect(found(some(), {})).toEqual(['h-1', 'c-2', 'c-10']);
  });

  test('are narrowed by lot, zone, category, status and words', () => {
    const state = some();
    expect(found(state, { lot: 'central' })).toEqual(['c-2', 'c-10']);
    expect(found(state, { zone: 'z1' })).toEqual(['c-10']);
    expect(found(state, { category: 'electric' })).toEqual(['c-10']);
    expect(found(state, { category: 'standard' })).toEqual(['h-1', 'c-2']);
    expect(found(state, { statuses: ['unknown', 'occupied'] })).toEqual(['h-1', 'c-10']);
    expect(found(state, { text: 'etage C-1' }), 'of the zone and of the id, without accents').toEqual(['c-10']);
    expect(found(state, { text: 'hafen' }), 'of the lot').toEqual(['h-1']);
    expect(found(state, { text: 'nowhere' })).toEqual([]);
  });

  test('are in the order of each column, those alike by name', () => {
    const state = some();
    const order = (by: View['sort']['by'], falling = false) => found(state, { sort: { by, falling } });
    expect(order('name', true)).toEqual(['c-10', 'c-2', 'h-1']);
    expect(order('lot')).toEqual(['h-1', 'c-2', 'c-10']);
    expect(order('zone', true)).toEqual(['c-10', 'h-1', 'c-2']);
    expect(order('category')).toEqual(['c-10', 'h-1', 'c-2']);
    expect(order('status')).toEqual(['c-2', 'c-10', 'h-1']);
    expect(order('since', true)).toEqual(['c-10', 'h-1', 'c-2']);
  });

  test('say how many of each status there are to choose from, whatever is chosen', () => {
    const rows = new Rows(some()).find({ ...usual, lot: 'central', statuses: ['free'] });
    expect(rows.byStatus).toMatchObject({ free: 1, occupied: 1, unknown: 0 });
    expect([rows.cells.length, rows.total]).toEqual([1, 2]);
    const { byStatus, total } = new Rows(some()).find(usual);
    expect(statuses.reduce((sum, status) => sum + byStatus[status], 0), 'they add up').toBe(total);
  });

  test('are found by their new name, zone and lot', () => {
    const state = some();
    const rows = new Rows(state);
    const named = (text: string) => rows.find({ ...usual, text }).cells.map((cell) => cell.peek().spotId);
    expect(named('quay')).toEqual([]);
    state.merge([{ id: 'central', name: 'Central Station' }, { id: 'harbour', name: 'Quayside' }], [spot('c-2', { version: 2, name: 'Aardvark' })]);
    expect(named('quay')).toEqual(['h-1']);
    expect(rows.find(usual).cells.map((cell) => cell.peek().spotId)).toEqual(['c-2', 'h-1', 'c-10']);
    state.setZones('central', [{ id: 'z1', lotId: 'central', name: 'Roof' }]);
    expect(named('roof')).toEqual(['c-10']);
  });

  test('of 20,000 spots are all there, each once, those alike by name', () => {
    const many = parking(...Array.from({ length: 20_000 }, (_, i) => spot(`c-L${i % 7}-${i}`, { status: statuses[i % 6]!, changedAt: at(i % 60) })));
    const ids = new Rows(many).find({ ...usual, sort: { by: 'since', falling: true } }).cells.map((cell) => cell.peek().spotId);
    expect(new Set(ids).size).toBe(20_000);
    expect(ids.slice(0, 3)).toEqual(['c-L0-119', 'c-L0-539', 'c-L0-959']);
  });
});

describe('the listing', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const change = (spotId: string, version: number, status: string): ParkingEvent => ({ spotId, version, status, change: status, timestamp: at(40), lotId: 'central' });
  const ids = (listing: Listing) => listing.found.value.cells.map((cell) => cell.peek().spotId);

  test('follows the spots: at once, and then not more often than it is to be', () => {
    const state = some();
    const listing = new Listing(state, signal<View>({ ...usual, statuses: ['free'] }));
    const end = listing.follow();
    expect(ids(listing)).toEqual(['c-2']);
    vi.advanceTimersByTime(60_000);
    state.apply([change('c-10', 2, 'free')]);
    vi.advanceTimersByTime(1); // in a task of its own
    expect(ids(listing)).toEqual(['c-2', 'c-10']);
    state.apply([change('c-2', 2, 'occupied')]);
    expect(ids(listing), 'a row stays for a moment, and shows its change').toEqual(['c-2', 'c-10']);
    vi.advanceTimersByTime(pace.least + 1_000);
    expect(ids(listing)).toEqual(['c-10']);
    end();
    vi.advanceTimersByTime(60_000);
    state.apply([change('c-10', 3, 'occupied')]);
    vi.advanceTimersByTime(60_000);
    expect(ids(listing), 'who has left hears nothing').toEqual(['c-10']);
  });

  test('does not put its spots in order more often than it is made', () => {
    const state = some();
    const ordered = vi.spyOn(state, 'spotsByName');
    const listing = new Listing(state, signal<View>(usual));
    const end = listing.follow();
    ordered.mockClear();
    for (let i = 0; i < 10; i++) state.apply([change(`c-${20 + i}`, 1, 'added')]);
    expect(ordered).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(ids(listing)).toContain('c-29');
    end();
  });

  test('is another one at once where somebody asks for another', () => {
    const view = signal(usual);
    const listing = new Listing(some(), view);
    listing.follow();
    view.value = { ...usual, lot: 'harbour' };
    expect(ids(listing)).toEqual(['h-1']);
  });
});

describe('what is shown', () => {
  test('is in the address, without what is usual', () => {
    expect(Object.values(parametersOf(usual)).every((value) => value === undefined)).toBe(true);
    const query = new URLSearchParams('lot=central&zone=z1&category=electric&status=occupied,free,odd&q=a&sort=-since');
    const view = readView(query);
    expect(view).toEqual({ lot: 'central', zone: 'z1', category: 'electric', statuses: ['free', 'occupied'], text: 'a', sort: { by: 'since', falling: true } });
    expect(parametersOf(view)).toEqual({ lot: 'central', zone: 'z1', category: 'electric', status: 'free,occupied', q: 'a', sort: '-since' });
    expect(readView(new URLSearchParams('sort=-odd&category=odd'))).toEqual(usual);
  });

  test('of a lot is of that lot, whatever the address says', () => {
    const view = readView(new URLSearchParams('lot=harbour'), 'central');
    expect(view.lot).toBe('central');
    expect(parametersOf(view, 'central').lot).toBeUndefined();
    expect(isNarrow(view, 'central')).toBe(false);
  });

  test('is turned around by the head of its column, and of times the newest is first', () => {
    expect(sortedBy({ by: 'name', falling: false }, 'name')).toEqual({ by: 'name', falling: true });
    expect(sortedBy({ by: 'name', falling: true }, 'since')).toEqual({ by: 'since', falling: true });
    expect(sortedBy({ by: 'since', falling: true }, 'since')).toEqual({ by: 'since', falling: false });
  });
});

test('a spot is found by its id, and whoever reads it hears when it comes or goes', () => {
  const state = some();
  const seen: string[] = [];
  const end = effect(() => void seen.push(['c-2', 'c-3'].filter((id) => state.spot(id)).join(' ')));
  const told = { timestamp: at(1), lotId: 'central' };
  state.apply([{ ...told, spotId: 'c-3', version: 1, status: 'free', change: 'added' }]);
  state.apply([{ ...told, spotId: 'c-2', version: 2, status: 'removed', change: 'removed' }]);
  end();
  expect(seen).toEqual(['c-2', 'c-2 c-3', 'c-3']);
});
