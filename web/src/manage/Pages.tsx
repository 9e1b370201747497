import { number } from '../text/format';
import { words } from '../text/words';
import { setQuery } from '../ui/router';

export const pageSize = 50;

/** Which part of a long list is shown, and the way to the others. */
export function Pages({ page, total }: { page: number; total: number }) {
  const last = Math.ceil(total / pageSize);
  if (last < 2) return null;
  const to = (wanted: number) => wanted >= 1 && wanted <= last && setQuery({ page: wanted === 1 ? undefined : String(wanted) });
  return (
    <nav class="pages" aria-label={words.manage.pages}>
      <button type="button" aria-disabled={page === 1} onClick={() => to(page - 1)}>{words.manage.before}</button>
      <span aria-live="polite">{words.manage.range(number((page - 1) * pageSize + 1), number(Math.min(page * pageSize, total)), number(total))}</span>
      <button type="button" aria-disabled={page === last} onClick={() => to(page + 1)}>{words.manage.after}</button>
    </nav>
  );
}
