import type { Column } from '../../table/view';
import { common } from './common';

const { term } = common;

const columns: Record<Column, string> = { status: term.status, name: term.spot, lot: term.lot, zone: term.zone, category: term.category, since: 'Since' };

export const table = {
  columns,
  all: 'All spots',
  ofLot: (name: string): string => `Spots of ${name}`,
  narrow: 'Narrow the table', search: 'Search spots', allZones: 'All zones', allCategories: 'All categories', clear: 'Show all',
  order: 'Order',
  rising: (column: string): string => `${column} ↑`,
  falling: (column: string): string => `${column} ↓`,
  /** How many spots match. */
  found: (n: string, total: string, all: boolean): string => (all ? `${n} spots` : `${n} of ${total} spots`),
  noneMatches: 'No spot matches at present. One that does appears here at once.',
  files: 'As a file:', filesWider: 'As a file, without search and category:',
  keys: 'Arrow keys go from spot to spot, Page Up and Page Down further, Home and End to the first and the last.',
};
