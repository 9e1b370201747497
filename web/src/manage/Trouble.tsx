import type { Problem } from '../live/http';
import { words } from '../text/words';
import './fields.css';

/** What stood in the way, in the words of who said so. */
export function sayProblem(told: Problem): string {
  const { title, detail } = words.common.problem(told);
  return detail ?? title;
}

/** The same where it is read out at once. */
export function Trouble({ problem, dismiss }: { problem: Problem | undefined; dismiss?: () => void }) {
  if (!problem) return null;
  return (
    <div class="trouble" role="alert" data-testid="problem" data-status={problem.status}>
      <p>
        {sayProblem(problem)}
        {problem.requestId && problem.status !== undefined && problem.status >= 500 && <> <small>{words.shell.request} <code>{problem.requestId}</code></small></>}
      </p>
      {dismiss && <button type="button" class="plain" aria-label={words.common.dismiss} onClick={dismiss}>×</button>}
    </div>
  );
}
