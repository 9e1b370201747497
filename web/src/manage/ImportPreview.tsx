import { useSignal } from '@preact/signals';
import { number } from '../text/format';
import { words } from '../text/words';
import type { Preview } from './importing';
import type { FieldChange, PreviewRow } from './preview';

const step = 50; // rows that are shown at once

/** What a file would change, before it does. */
export function ImportPreview({ preview: { report, rows } }: { preview: Preview }) {
  const shown = useSignal(step);
  const { added, changed, unchanged, rejected, zonesAdded, columns, changesOmitted = 0 } = report;
  const left = columns.filter(({ field }) => field === undefined).map(({ name }) => name);
  return (
    <section class="preview" data-testid="preview" aria-label={words.manage.preview}>
      <h2>{words.manage.preview}</h2>
      <Sums sums={[['added', added], ['changed', changed], ['unchanged', unchanged], ['rejected', rejected]]} />
      {zonesAdded.length > 0 && <p>{words.manage.zonesToCome(zonesAdded.join(', '))}</p>}
      <details>
        <summary>{words.manage.columnsRead(number(columns.length - left.length), number(columns.length))}</summary>
        <ul class="columns">
          {columns.map(({ name, field }) => <li key={name}><code>{name}</code> {field === undefined ? <span class="quiet">{words.manage.leftOut}</span> : words.manage.readAsField(words.manage.importField(field))}</li>)}
        </ul>
      </details>
      {rows.length > 0 && (
        <table>
          <caption class="unseen">{words.manage.preview}</caption>
          <thead>
            <tr>
              <th scope="col">{words.manage.place}</th>
              <th scope="col">{words.shell.spot}</th>
              <th scope="col">{words.manage.what}</th>
              <th scope="col">{words.manage.fieldsOf}</th>
            </tr>
          </thead>
          <tbody>{rows.slice(0, shown.value).map((row) => <Row key={row.place} row={row} />)}</tbody>
        </table>
      )}
      {rows.length > shown.value && <button type="button" onClick={() => (shown.value += step * 4)}>{words.manage.showMore(number(rows.length - shown.value))}</button>}
      {rows.length <= shown.value && changesOmitted > 0 && <p class="quiet">{words.manage.changesOmitted(number(changesOmitted))}</p>}
    </section>
  );
}

/** How many of what. */
export const Sums = ({ sums }: { sums: readonly (readonly ['added' | 'changed' | 'unchanged' | 'rejected', number])[] }) => (
  <ul class="sums">
    {sums.map(([what, n]) => <li key={what} data-what={what} data-count={n}><b>{number(n)}</b> {words.manage.sum[what]}</li>)}
  </ul>
);

const Row = ({ row: { place, spotId, change, fields } }: { row: PreviewRow }) => (
  <tr data-change={change}>
    <td>{number(place)}</td>
    <th scope="row">{spotId}</th>
    <td>{words.manage.sum[change]}</td>
    <td><FieldChanges changes={fields.map((each) => ({ ...each, field: words.manage.importField(each.field) }))} fresh={change === 'added'} /></td>
  </tr>
);

/** What each field is and will be; of what is new, what it will be. */
export const FieldChanges = ({ changes, fresh }: { changes: readonly FieldChange[]; fresh: boolean }) => (
  <ul class="changes">
    {changes.map(({ field, from, to }) => (
      <li key={field}>
        {field}: {!fresh && <><del>{from ?? words.manage.nothing}</del> <span class="unseen">{words.manage.becomes}</span><i aria-hidden="true" /> </>}<ins>{to ?? words.manage.nothing}</ins>
      </li>
    ))}
  </ul>
);
