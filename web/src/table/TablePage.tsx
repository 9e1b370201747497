import type { PageProps } from '../shell/pages';
import { words } from '../text/words';

export default function TablePage(_: PageProps) {
  return <article class="table"><h1 tabIndex={-1}>{words.shell.table}</h1></article>;
}
