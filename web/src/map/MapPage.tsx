import type { PageProps } from '../shell/pages';
import { words } from '../text/words';

export default function MapPage(_: PageProps) {
  return <article class="map"><h1 tabIndex={-1}>{words.shell.map}</h1></article>;
}
