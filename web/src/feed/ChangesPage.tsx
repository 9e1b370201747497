import type { PageProps } from '../shell/pages';
import { words } from '../text/words';

export default function ChangesPage(_: PageProps) {
  return <article class="changes"><h1 tabIndex={-1}>{words.shell.changes}</h1></article>;
}
