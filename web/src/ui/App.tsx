import { useSignalEffect } from '@preact/signals';
import type { Session } from '../live/session';
import { number } from '../text/english';
import { Announcer } from './Announcer';
import { FeedPanel } from './FeedPanel';
import { Header, StaleBanner } from './Header';
import { Legend } from './Legend';
import { LotCard } from './LotCard';
import { LotPage } from './LotPage';
import { Loading, NoLots, NotLoaded, Nowhere } from './Notices';
import { Proportion } from './Proportion';
import { place } from './router';
import { SignIn, SignInBanner } from './SignIn';
import { useAccount } from './who';

export function App({ session }: { session: Session }) {
  const { parking } = session;
  useSignalEffect(() => {
    const at = place.value;
    const lot = at.view === 'lot' ? parking.lots.value.find(({ id }) => id === at.lotId) : undefined;
    document.title = lot ? `${number(parking.countsOfLot(lot.id).value.free)} free · ${lot.name} · Parkwire` : 'Parkwire';
  });
  return (
    <div class="page" data-view={place.value.view}>
      <a class="skip" href="#main">To the lots</a>
      <Header session={session} />
      <div class="banners">
        <SignInBanner />
        <StaleBanner session={session} />
      </div>
      <Content session={session} />
      <Announcer session={session} />
    </div>
  );
}

function Content({ session }: { session: Session }) {
  const { connection, loaded, parking } = session;
  const problem = connection.problem.value;
  if (useAccount().locked.value) return <main id="main" class="single"><SignIn /></main>;
  if (!loaded.value) {
    return <main id="main" class="single">{problem ? <NotLoaded problem={problem} retry={() => connection.check()} /> : <Loading />}</main>;
  }
  if (parking.lots.value.length === 0) return <main id="main" class="single"><NoLots /></main>;
  const at = place.value;
  const lot = at.view === 'lot' ? parking.lots.value.find(({ id }) => id === at.lotId) : undefined;
  return (
    <>
      <main id="main" tabIndex={-1}>
        {at.view === 'city' && <City session={session} />}
        {at.view !== 'nowhere' && (
          <nav class="lots" aria-label="Lots">
            {parking.lots.value.map((each) => <LotCard key={each.id} session={session} lot={each} current={each === lot} />)}
          </nav>
        )}
        {lot && <LotPage key={lot.id} session={session} lot={lot} />}
        {at.view === 'lot' && !lot && <Nowhere lotId={at.lotId} />}
        {at.view === 'nowhere' && <Nowhere />}
      </main>
      <FeedPanel session={session} />
    </>
  );
}

function City({ session }: { session: Session }) {
  const counts = session.parking.total.value;
  const lots = session.parking.lots.value.length;
  return (
    <header class="city">
      <h1 tabIndex={-1}>
        <strong>{number(counts.free)}</strong> <span>{counts.free === 1 ? 'spot' : 'spots'} free</span>
      </h1>
      <p>of {number(counts.total)} in {number(lots)} {lots === 1 ? 'lot' : 'lots'}</p>
      <Proportion counts={counts} />
      <Legend counts={counts} />
    </header>
  );
}
