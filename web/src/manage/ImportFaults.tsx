import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { number } from '../text/format';
import { words } from '../text/words';
import type { SourceFile } from './files';
import { excerpts } from './preview';
import type { ImportFault } from './wire';

const step = 50; // rows that are shown at once

interface FaultsProps {
  readonly faults: readonly ImportFault[];
  /** How many more there are. */
  readonly omitted: number;
  readonly file: SourceFile;
}

/** The rows that are left out, each with where it is, what is wrong and what to do about it. */
export function Faults({ faults, omitted, file }: FaultsProps) {
  const shown = useSignal(step);
  const any = faults.length > 0;
  const rows = useMemo(() => (any ? excerpts(file) : undefined), [file, any]);
  if (!rows) return null;
  return (
    <section class="faults" data-testid="faults" aria-label={words.manage.sum.rejected}>
      <h2>{words.manage.wrongRows(number(faults.length + omitted))}</h2>
      <ol>
        {faults.slice(0, shown.value).map((fault, i) => <Fault key={i} fault={fault} row={rows(fault.line ?? fault.feature ?? 0)} />)}
      </ol>
      {faults.length > shown.value && <button type="button" onClick={() => (shown.value += step * 4)}>{words.manage.showMore(number(faults.length - shown.value))}</button>}
      {faults.length <= shown.value && omitted > 0 && <p class="quiet">{words.manage.changesOmitted(number(omitted))}</p>}
    </section>
  );
}

function Fault({ fault: { line, feature, spotId, field, reason, remedy }, row }: { fault: ImportFault; row: string }) {
  const place = line ?? feature ?? 0;
  return (
    <li>
      <p>
        <b>{line === undefined ? words.manage.featureIs(number(place)) : words.manage.lineIs(number(place))}</b>
        {spotId && <> · {spotId}</>}{field && <> · {words.manage.importField(field)}</>}
      </p>
      <p>{reason}</p>
      {remedy && <p class="quiet">{remedy}</p>}
      {row && <code class="excerpt">{row}</code>}
    </li>
  );
}
