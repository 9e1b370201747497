import { useEffect, useState } from 'preact/hooks';
import type { Session } from '../live/session';
import { statuses } from '../live/wire';
import { lazy } from '../shell/lazy';
import type { PageProps } from '../shell/pages';
import { kiosk } from '../shell/settings';
import { number } from '../text/format';
import { words } from '../text/words';
import { Mark } from '../ui/Mark';
import { chosenLot, chosenStatuses, toggleStatus } from './choice';
import { Cloud } from './cloud';
import { LotPanel } from './LotPanel';
import { LotRows } from './LotRows';
import './map.css';

/** What draws it is large, and comes while the list is there already. */
const MapView = lazy(() => import('./MapView'), () => <div class="map-view" aria-busy="true" />);

/** All lots and spots on a map, with a list beside it in which the keyboard, and who sees no map, finds everything too. */
export default function MapPage({ session }: PageProps) {
  const [cloud, setCloud] = useState<Cloud>();
  useEffect(() => {
    const made = new Cloud(session.parking);
    setCloud(made);
    return () => made.end();
  }, [session]);
  return (
    <article class="map-page">
      <header>
        <h1 tabIndex={-1}>{words.shell.map}</h1>
        <Filter session={session} />
      </header>
      {cloud && <MapView session={session} cloud={cloud} />}
      {cloud && !kiosk.value && <Beside session={session} cloud={cloud} />}
    </article>
  );
}

function Beside({ session, cloud }: { session: Session; cloud: Cloud }) {
  const lot = session.parking.lots.value.find(({ id }) => id === chosenLot.value);
  return (
    <section class="map-beside" aria-label={words.map.beside}>
      {lot ? <LotPanel key={lot.id} session={session} cloud={cloud} lot={lot} /> : <LotRows session={session} cloud={cloud} />}
    </section>
  );
}

/** The counts, each of which shows or hides its spots. */
function Filter({ session }: { session: Session }) {
  const counts = session.parking.total.value;
  const chosen = chosenStatuses.value;
  const offered = statuses.filter((status) => counts[status] > 0 || chosen.includes(status));
  return (
    <div class="map-filter" role="group" aria-label={words.map.shown}>
      {offered.map((status) => (
        <button key={status} type="button" aria-pressed={chosen.includes(status)} onClick={() => toggleStatus(status)} data-status={status}>
          <Mark status={status} /> <b>{number(counts[status])}</b> {words.common.status[status]}
        </button>
      ))}
    </div>
  );
}
