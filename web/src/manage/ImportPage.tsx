import type { PageProps } from '../shell/pages';
import { words } from '../text/words';

export default function ImportPage(_: PageProps) {
  return <article class="manage"><h1 tabIndex={-1}>{words.shell.import}</h1></article>;
}
