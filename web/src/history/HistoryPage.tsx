import type { LotPageProps } from '../shell/pages';
import { words } from '../text/words';

export default function HistoryPage(_: LotPageProps) {
  return <article class="history"><h1 tabIndex={-1}>{words.shell.history}</h1></article>;
}
