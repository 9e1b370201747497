import type { LotPageProps } from '../shell/pages';
import { words } from '../text/words';

export default function ManageLotPage(_: LotPageProps) {
  return <article class="manage"><h1 tabIndex={-1}>{words.shell.manage}</h1></article>;
}
