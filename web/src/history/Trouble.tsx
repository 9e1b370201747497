import { words } from '../text/words';
import type { Asked } from './asked';

/** Why there is nothing to see, or nothing newer than what is seen. The rest of the page goes on. */
export function Trouble<T>({ of, announced = false }: { of: Asked<T>; announced?: boolean }) {
  const told = of.problem.value;
  if (!told) return null;
  const slug = /^urn:parkwire:problem:(.*)$/.exec(told.type ?? '')?.[1];
  const { title, detail } = words.history.problems[slug ?? ''] ?? words.common.problem(told);
  return (
    <div class="trouble" role={announced ? 'status' : undefined} data-testid="history-trouble" data-problem={slug ?? told.cause}>
      <p>
        <b>{title.replace(/\.?$/, '.')}</b> {detail} {of.answer.value !== undefined && words.history.stillShown}
      </p>
      <button type="button" onClick={() => of.again()}>{words.common.tryNow}</button>
    </div>
  );
}
