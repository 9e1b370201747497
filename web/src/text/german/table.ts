import type { Words } from '../words';
import { common } from './common';

const { term } = common;

export const table: Words['table'] = {
  columns: { status: term.status, name: term.spot, lot: term.lot, zone: term.zone, category: term.category, since: 'Seit' },
  all: 'Alle Plätze',
  ofLot: (name) => `Plätze von ${name}`,
  narrow: 'Tabelle eingrenzen', search: 'Plätze suchen', allZones: 'Alle Zonen', allCategories: 'Alle Kategorien', clear: 'Alle zeigen',
  order: 'Reihenfolge',
  rising: (column) => `${column} ↑`,
  falling: (column) => `${column} ↓`,
  found: (n, total, all) => (all ? `${n} Plätze` : `${n} von ${total} Plätzen`),
  noneMatches: 'Zurzeit passt kein Platz dazu. Sobald einer passt, erscheint er hier.',
  files: 'Als Datei:', filesWider: 'Als Datei, ohne Suche und Kategorie:',
  keys: 'Die Pfeiltasten gehen von Platz zu Platz, Bild auf und Bild ab weiter, Pos1 und Ende zum ersten und zum letzten.',
};
