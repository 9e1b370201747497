import { number } from '../text/format';
import { words } from '../text/words';
import { FieldChanges, Sums } from './ImportPreview';
import type { LotPlan } from './lotfile';

/** What a file of lots would change, before it does. */
export function LotPreview({ plan: { entries, faults } }: { plan: LotPlan }) {
  const count = (change: string) => entries.filter((entry) => entry.change === change).length;
  const shown = entries.filter(({ change }) => change !== 'unchanged');
  return (
    <section class="preview" data-testid="preview" aria-label={words.manage.preview}>
      <h2>{words.manage.preview}</h2>
      <Sums sums={[['added', count('added')], ['changed', count('changed')], ['unchanged', count('unchanged')], ['rejected', faults.length]]} />
      {shown.length > 0 && (
        <table>
          <caption class="unseen">{words.manage.preview}</caption>
          <thead>
            <tr>
              <th scope="col">{words.manage.place}</th>
              <th scope="col">{words.manage.tab.lot}</th>
              <th scope="col">{words.manage.what}</th>
              <th scope="col">{words.manage.fieldsOf}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ place, id, change, fields }) => (
              <tr key={place} data-change={change}>
                <td>{number(place)}</td>
                <th scope="row">{id}</th>
                <td>{words.manage.sum[change]}</td>
                <td><FieldChanges changes={fields.map((each) => ({ ...each, field: words.manage.lotFields[each.field] }))} fresh={change === 'added'} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
