import { useSignal } from '@preact/signals';
import { words } from '../text/words';

export interface Column<T> {
  readonly name: string;
  readonly of: (row: T) => string;
}

interface TableProps<T> {
  /** What it is a table of. */
  readonly what: string;
  /** The name of the first column, which names the rows. */
  readonly head: string;
  readonly rows: readonly T[];
  readonly nameOf: (row: T) => string;
  readonly columns: readonly Column<T>[];
}

/** What a chart shows, for those who cannot see it or want the numbers. It is made when it is opened. */
export function Table<T>({ what, head, rows, nameOf, columns }: TableProps<T>) {
  const open = useSignal(false);
  return (
    <details class="numbers" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{words.history.asTable}<span class="unseen"> {what}</span></summary>
      {open.value && (
        <div class="scroll" tabIndex={0} role="region" aria-label={words.history.tableOf(what)}>
          <table>
            <thead>
              <tr>
                <th scope="col">{head}</th>
                {columns.map(({ name }) => <th key={name} scope="col">{name}</th>)}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, i) => (
                <tr key={i}>
                  <th scope="row">{nameOf(row)}</th>
                  {columns.map(({ name, of }) => <td key={name}>{of(row)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
