import { useComputed } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { useAsked } from '../history/asked';
import type { Session } from '../live/session';
import type { SpotPageProps } from '../shell/pages';
import { useTitle } from '../shell/title';
import { words } from '../text/words';
import { tablePath } from '../ui/router';
import { useZones } from '../ui/zones';
import { SpotApi } from './api';
import { Facts } from './Facts';
import { SpotHead } from './SpotHead';
import { Stays } from './Stays';
import { Times } from './Times';
import { Trail } from './trail';
import { TrailList } from './TrailList';
import './spot.css';

/** One spot: what it is now, what it was, who stayed how long, and what happened to it. */
export default function SpotPage({ session, spotId }: SpotPageProps) {
  const api = useMemo(() => new SpotApi(session.api), [session]);
  const cell = useComputed(() => session.parking.spot(spotId));
  const spot = cell.value?.value;
  const version = spot?.version ?? 0;
  const trail = useTrail(session, api, spotId, version);
  useZones(session, spot ? [spot.lotId] : []);
  useTitle(spot && words.spot.pageTitle(spot.name ?? spotId, words.common.status[spot.status]));
  if (!spot) return <Gone spotId={spotId} trail={trail} />;
  return (
    <article class="one-spot" data-testid="spot-page" data-spot-id={spotId} data-status={spot.status} data-version={spot.version}>
      <SpotHead session={session} spot={spot} />
      <OfSpot session={session} api={api} spotId={spotId} version={version} />
      <TrailList trail={trail} timeZone={session.parking.lots.value.find(({ id }) => id === spot.lotId)?.timeZone} />
    </article>
  );
}

/** What is asked of the platform for it, anew with each change. */
function OfSpot({ session, api, spotId, version }: { session: Session; api: SpotApi; spotId: string; version: number }) {
  const facts = useAsked(session, `${spotId} ${version}`, (signal) => api.facts(spotId, signal));
  return (
    <>
      <Facts session={session} facts={facts} />
      <Times session={session} spotId={spotId} version={version} />
      <Stays session={session} spotId={spotId} version={version} />
    </>
  );
}

/** The trail goes on when the spot has another version, and when the connection is there again. */
function useTrail(session: Session, api: SpotApi, spotId: string, version: number): Trail {
  const trail = useMemo(() => new Trail((cursor) => api.entries(spotId, cursor)), [api, spotId]);
  useEffect(() => void trail.refresh(), [trail, version]);
  useEffect(() => {
    let before: unknown = 'open'; // what is there at first is asked for already
    return session.connection.state.subscribe((state) => {
      if (state === 'open' && before !== 'open') void trail.refresh();
      before = state;
    });
  }, [trail, session]);
  return trail;
}

/** There is no such spot: it never was there, or was removed. What happened to it may still be known. */
function Gone({ spotId, trail }: { spotId: string; trail: Trail }) {
  const wasThere = (trail.entries.value?.length ?? 0) > 0;
  return (
    <article class="one-spot" data-testid="spot-gone">
      <header>
        <h1 tabIndex={-1}>{spotId}</h1>
        <p>{wasThere ? words.spot.removed : words.spot.none(spotId)}</p>
        <p><a href={tablePath()}>{words.table.all}</a></p>
      </header>
      {wasThere && <TrailList trail={trail} timeZone={undefined} />}
    </article>
  );
}
