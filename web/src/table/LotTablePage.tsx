import type { LotPageProps } from '../shell/pages';
import { words } from '../text/words';

export default function LotTablePage(_: LotPageProps) {
  return <article class="table"><h1 tabIndex={-1}>{words.shell.table}</h1></article>;
}
