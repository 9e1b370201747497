import type { SpotPageProps } from '../shell/pages';
import { words } from '../text/words';

export default function SpotPage(_: SpotPageProps) {
  return <article class="spot"><h1 tabIndex={-1}>{words.shell.spot}</h1></article>;
}
