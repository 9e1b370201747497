import { useSignalEffect } from '@preact/signals';
import { Told } from '../alerts/Told';
import { unread } from '../alerts/unread';
import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import { FeedPanel } from '../ui/FeedPanel';
import { Legend } from '../ui/Legend';
import { LotCard } from '../ui/LotCard';
import { Loading, NoLots, NotLoaded, Nowhere } from '../ui/Notices';
import { Proportion } from '../ui/Proportion';
import { lotOf, place, type Place } from '../ui/router';
import { SignIn } from '../ui/SignIn';
import { useAccount } from '../ui/who';
import { Announcer } from './Announcer';
import { Banners } from './Banners';
import { Header } from './Header';
import { LotTabs, Nav } from './Nav';
import { kiosk } from './settings';
import { AlertsPage, ChangesPage, HistoryPage, ImportPage, LotTablePage, ManageLotPage, ManagePage, MapPage, PlanPage, SpotPage, TablePage } from './pages';
import { title } from './title';

export function App({ session }: { session: Session }) {
  const { parking } = session;
  useSignalEffect(() => {
    const lotId = lotOf(place.value);
    const lot = lotId === undefined ? undefined : parking.lots.value.find(({ id }) => id === lotId);
    const name = title.value ?? (lot ? words.common.titleOf(parking.countsOfLot(lot.id).value.free, lot.name) : nameOf(place.value));
    document.title = name === undefined ? 'Parkwire' : `${name} · Parkwire`;
  });
  return (
    <div class="page" data-view={place.value.view} data-old={isOld(session)}>
      <a class="skip" href="#main">{words.shell.skip}</a>
      <Header session={session} />
      <Banners session={session} />
      {!kiosk.value && <Nav unread={unread.value} />}
      <Content session={session} />
      <Told session={session} />
      <Announcer session={session} />
    </div>
  );
}

/** The name of a view where no lot is looked at. The city needs none. */
function nameOf(at: Place): string | undefined {
  const { shell } = words;
  const names: Partial<Record<Place['view'], string>> = { map: shell.map, table: shell.table, changes: shell.changes, alerts: shell.alerts, manage: shell.manage, import: shell.import };
  return at.view === 'spot' ? at.spotId : names[at.view];
}

/** Whether what is shown may be old: it is drawn so. */
const isOld = ({ loaded, connection: { state, stale } }: Session) => (loaded.value && (state.value !== 'open' || stale.value)) || undefined;

/** The views that have the lots and the feed beside them, where there is room. */
const accompanied = (at: Place) => at.view === 'city' || at.view === 'lot' || at.view === 'nowhere';

function Content({ session }: { session: Session }) {
  const { connection, loaded, parking } = session;
  const problem = connection.problem.value;
  const at = place.value;
  if (useAccount().locked.value) return <main id="main" class="single" tabIndex={-1}><SignIn /></main>;
  if (!loaded.value) {
    return <main id="main" class="single" tabIndex={-1}>{problem ? <NotLoaded problem={problem} retry={() => connection.check()} /> : <Loading />}</main>;
  }
  const lacking = parking.lots.value.length === 0 && !at.view.startsWith('manage') && at.view !== 'import';
  if (lacking) return <main id="main" class="single" tabIndex={-1}><NoLots /></main>;
  if (!accompanied(at)) return <main id="main" class="single" tabIndex={-1}><View session={session} at={at} /></main>;
  return (
    <>
      <main id="main" tabIndex={-1}>
        {at.view === 'city' && <City session={session} />}
        {at.view !== 'nowhere' && (
          <nav class="lots" aria-label={words.common.lots}>
            {parking.lots.value.map((each) => <LotCard key={each.id} session={session} lot={each} current={each.id === lotOf(at)} />)}
          </nav>
        )}
        {at.view !== 'city' && <View session={session} at={at} />}
      </main>
      <FeedPanel session={session} />
    </>
  );
}

/** The view of this place, with what it is of. */
function View({ session, at }: { session: Session; at: Place }) {
  switch (at.view) {
    case 'map': return <MapPage session={session} />;
    case 'table': return <TablePage session={session} />;
    case 'changes': return <ChangesPage session={session} />;
    case 'alerts': return <AlertsPage session={session} />;
    case 'manage': return <ManagePage session={session} />;
    case 'import': return <ImportPage session={session} />;
    case 'spot': return <SpotPage key={at.spotId} session={session} spotId={at.spotId} />;
    case 'city': case 'nowhere': return <Nowhere />;
  }
  const lot = session.parking.lots.value.find(({ id }) => id === at.lotId);
  if (!lot) return <Nowhere lotId={at.lotId} />;
  const Page = lotPages[at.view];
  return (
    <div class="of-lot">
      {!kiosk.value && <LotTabs lot={lot} />}
      <Page key={lot.id} session={session} lot={lot} />
    </div>
  );
}

const lotPages = { lot: PlanPage, 'lot-table': LotTablePage, 'lot-history': HistoryPage, 'manage-lot': ManageLotPage };

function City({ session }: { session: Session }) {
  const counts = session.parking.total.value;
  const lots = session.parking.lots.value.length;
  return (
    <header class="city">
      <h1 tabIndex={-1}>
        <strong>{number(counts.free)}</strong> <span>{words.common.spotsFree(counts.free)}</span>
      </h1>
      <p>{words.common.ofIn(counts.total, lots)}</p>
      <Proportion counts={counts} />
      <Legend counts={counts} />
    </header>
  );
}
