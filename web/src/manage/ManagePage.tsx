import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import type { PageProps } from '../shell/pages';
import { number } from '../text/format';
import { words } from '../text/words';
import { Search } from '../ui/filters';
import { importPath, manageLotPath, query, setQuery } from '../ui/router';
import { useAccount } from '../ui/who';
import { Dialog } from './Dialog';
import { arriveAt } from './focus';
import { LotForm } from './LotForm';
import { NotAllowed } from './NotAllowed';
import './manage.css';

const few = 8; // lots, up to which nobody needs a search

/** The lots that one may change, and how one is added. */
export default function ManagePage({ session }: PageProps) {
  const account = useAccount();
  const adding = useSignal(false);
  const lots = useComputed(() => session.parking.lots.value.filter(({ id }) => account.may('operate', id)));
  useEffect(() => session.described.look(), [session]); // others change lots too, and no event tells
  if (!account.mayAnywhere('operate')) return <NotAllowed title={words.shell.manage} />;
  const search = query.value.get('q') ?? '';
  const found = lots.value.filter((lot) => matches(lot, search));
  const limited = account.person.value?.lots;
  return (
    <article class="manage">
      <header>
        <h1 tabIndex={-1}>{words.shell.manage}</h1>
        <div class="tools">
          <button type="button" class="primary" data-testid="add-lot" onClick={() => (adding.value = true)}>{words.manage.addLot}</button>
          <a class="button" href={importPath()}>{words.shell.import}</a>
        </div>
      </header>
      {limited && <p class="quiet">{words.manage.limited(limited.join(', '))}</p>}
      {(lots.value.length > few || search !== '') && (
        <Search label={words.manage.searchLots} value={search} change={(q) => setQuery({ q })} />
      )}
      {found.length === 0 && <p class="none">{search === '' ? words.manage.noLotsYet : words.manage.nothingFound}</p>}
      <ul class="entries">
        {found.map((lot) => <LotEntry key={lot.id} session={session} lot={lot} />)}
      </ul>
      {adding.value && (
        <Dialog title={words.manage.addLot} close={() => (adding.value = false)}>
          <LotForm
            session={session} cancel={() => (adding.value = false)}
            saved={(lotId) => {
              adding.value = false;
              arriveAt(manageLotPath(lotId));
            }}
          />
        </Dialog>
      )}
    </article>
  );
}

function LotEntry({ session, lot }: { session: Session; lot: Lot }) {
  const { total, free } = session.parking.countsOfLot(lot.id).value;
  return (
    <li data-testid="manage-lot" data-lot-id={lot.id}>
      <a href={manageLotPath(lot.id)}>{lot.name}</a>
      <code>{lot.id}</code>
      {lot.address && <span class="quiet">{lot.address}</span>}
      <span class="end">{total === 0 ? words.common.noSpots : words.manage.spotsFree(number(total), number(free))}</span>
    </li>
  );
}

function matches({ id, name, address = '' }: Lot, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  return [id, name, address].some((text) => text.toLowerCase().includes(wanted));
}
