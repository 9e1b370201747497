// The order of spots by name, A-2 before A-10, for all views. A name is prepared once and compared as plain text afterwards: for 20,000 names an
// Intl.Collator takes most of a second, this some milliseconds.
import { orderKey } from '../text/search';
import type { Cell } from './shown';

/** A spot, and what it is ordered by. It is another object when the name is another one. */
export interface Named {
  readonly cell: Cell;
  readonly name: string;
  readonly key: string;
}

/** The cells of one lot in their order. */
export class Order {
  #list: readonly Named[] = [];
  #isStale = false;

  constructor(private readonly cells: ReadonlySet<Cell>) {}

  /** One came, went, or is another in anything but its status. */
  touch(): void {
    this.#isStale = true;
  }

  /** The list stays the same one until something is touched. */
  get list(): readonly Named[] {
    if (this.#isStale) this.#list = this.#made();
    this.#isStale = false;
    return this.#list;
  }

  /** From the list before, which is nearly in order. */
  #made(): Named[] {
    const added = new Set(this.cells);
    const list: Named[] = [];
    for (const before of this.#list) if (added.delete(before.cell)) list.push(nameOf(before.cell) === before.name ? before : named(before.cell));
    for (const cell of added) list.push(named(cell));
    return list.sort(byName);
  }
}

const nameOf = (cell: Cell): string => cell.peek().name ?? cell.peek().spotId;

function named(cell: Cell): Named {
  const name = nameOf(cell);
  return { cell, name, key: orderKey(name) };
}

/** Those that are called alike stand by their ids. */
export const byName = (a: Named, b: Named): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : a.cell.peek().spotId < b.cell.peek().spotId ? -1 : 1;
