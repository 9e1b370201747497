import { useEffect, useRef } from 'preact/hooks';
import type { Lot } from '../live/wire';
import { words } from '../text/words';
import { lotPath, manageLotPath } from '../ui/router';
import { Sums } from './ImportPreview';
import type { Imported } from './wire';

/** What became of a file. */
export function ImportResult({ result, lot, again }: { result: Imported; lot: Lot; again: () => void }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []); // the button that was pressed is gone
  return (
    <section class="result" data-testid="result" aria-label={words.manage.imported}>
      <h2 ref={title} tabIndex={-1}>{words.manage.imported}</h2>
      <Sums sums={[['added', result.added], ['changed', result.changed], ['unchanged', result.unchanged], ['rejected', result.rejected]]} />
      <div class="tools">
        <a class="button" href={manageLotPath(lot.id)}>{lot.name}</a>
        <a class="button" href={lotPath(lot.id)}>{words.manage.seeLot}</a>
        <button type="button" onClick={again}>{words.manage.anotherFile}</button>
      </div>
    </section>
  );
}
