import type { PageProps } from '../shell/pages';
import { words } from '../text/words';
import { importPath, managePath, query } from '../ui/router';
import { useAccount } from '../ui/who';
import { ImportLots } from './ImportLots';
import { ImportSpots } from './ImportSpots';
import { NotAllowed } from './NotAllowed';
import './manage.css';

/** Lots and spots from files, with a look at what they would change first. */
export default function ImportPage({ session }: PageProps) {
  if (!useAccount().mayAnywhere('operate')) return <NotAllowed title={words.shell.import} />;
  const lots = query.value.get('of') === 'lots';
  return (
    <article class="manage import">
      <header>
        <div>
          <a class="back" href={managePath()}>{words.shell.manage}</a>
          <h1 tabIndex={-1}>{words.shell.import}</h1>
        </div>
      </header>
      <nav class="manage-tabs" aria-label={words.manage.whatToImport}>
        <a href={importPath({ lot: query.value.get('lot') ?? undefined })} aria-current={lots ? undefined : 'page'}>{words.manage.tab.spots}</a>
        <a href={importPath({ of: 'lots' })} aria-current={lots ? 'page' : undefined}>{words.common.lots}</a>
      </nav>
      {lots ? <ImportLots session={session} /> : <ImportSpots session={session} />}
    </article>
  );
}
