import type { Words } from '../words';

export const table: Words['table'] = {
  columns: { status: 'Zustand', name: 'Platz', lot: 'Parkfläche', zone: 'Zone', category: 'Art', since: 'Seit' },
  all: 'Alle Plätze',
  ofLot: (name) => `Plätze von ${name}`,
  narrow: 'Tabelle eingrenzen', search: 'Plätze suchen', zone: 'Zone', allZones: 'Alle Zonen', allCategories: 'Alle Arten', standard: 'gewöhnlich', clear: 'Alle zeigen',
  order: 'Reihenfolge',
  rising: (column) => `${column} ↑`,
  falling: (column) => `${column} ↓`,
  found: (n, total, all) => (all ? `${n} Plätze` : `${n} von ${total} Plätzen`),
  noneMatches: 'Gerade ist kein Platz so. Einer, der es wird, erscheint hier sofort.',
  files: 'Als Datei:', filesWider: 'Als Datei, ohne Suche und Art:',
  keys: 'Die Pfeiltasten gehen von Platz zu Platz, Bild auf und Bild ab weiter, Pos1 und Ende zum ersten und zum letzten.',
};
