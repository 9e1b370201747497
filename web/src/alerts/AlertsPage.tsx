import type { PageProps } from '../shell/pages';
import { words } from '../text/words';

export default function AlertsPage(_: PageProps) {
  return <article class="alerts"><h1 tabIndex={-1}>{words.shell.alerts}</h1></article>;
}
