import type { SpotState } from '../live/shown';
import type { Session } from '../live/session';
import { isHere, minuteTime, shortTime } from '../text/format';
import { words } from '../text/words';
import { Actions } from '../ui/Actions';
import { clock } from '../ui/clock';
import { Mark } from '../ui/Mark';
import { usePulse } from '../ui/pulse';
import { alertsPath, lotPath, lotTablePath, mapPath } from '../ui/router';
import { zoneName } from '../ui/zones';

/** Its name, where it is, and what it is now. */
export function SpotHead({ session, spot }: { session: Session; spot: SpotState }) {
  const { spotId, lotId, zoneId, category } = spot;
  const { name: lot = lotId, timeZone } = session.parking.lots.value.find(({ id }) => id === lotId) ?? {};
  const zone = zoneId !== undefined && zoneName(session, lotId, zoneId);
  const where = [zone, category !== undefined && category !== 'standard' && words.common.categoryName(category)].filter(Boolean).join(' · ');
  const changedAt = Date.parse(spot.changedAt);
  return (
    <header class="head" data-pulse={usePulse(spot.pulse)} data-status={spot.status} data-proposed={spot.proposed}>
      <a class="back" href={lotPath(lotId, { spot: spotId })}>{lot}</a>
      <h1 tabIndex={-1}>{spot.name ?? spotId}</h1>
      {where && <p class="where">{where}</p>}
      <p class="now">
        <Mark status={spot.status} />
        <strong>{words.common.status[spot.status]}</strong>
        {changedAt > 0 && (
          <span>
            {words.spot.since} <time dateTime={spot.changedAt}>{shortTime(changedAt, clock.value)}</time> ({words.common.ago(changedAt, clock.value)})
          </span>
        )}
      </p>
      {spot.status === 'unknown' && <p class="quiet">{words.spot.unknownMeans}</p>}
      <AsOf session={session} />
      {timeZone !== undefined && !isHere(timeZone, clock.value) && <p class="quiet" data-testid="lot-clocks">{words.spot.lotClocks(timeZone, minuteTime(clock.value, timeZone))}</p>}
      <nav class="ways" aria-label={words.spot.ways}>
        <a href={lotPath(lotId, { spot: spotId })}>{words.shell.plan}</a>
        {spot.location && <a href={mapPath({ spot: spotId })}>{words.shell.map}</a>}
        <a href={lotTablePath(lotId, { zone: zoneId })}>{words.spot.neighbours}</a>
        <a href={alertsPath({ rule: 'new', spot: spotId })}>{words.spot.tellMe}</a>
      </nav>
      <Actions key={spotId} session={session} spot={spot} />
    </header>
  );
}

/** Of when it is, where that is not now. */
function AsOf({ session: { connection } }: { session: Session }) {
  const asOf = connection.asOf.value;
  if (asOf === undefined || (connection.state.value === 'open' && !connection.stale.value)) return null;
  return <p class="as-of" data-testid="spot-as-of">{words.spot.asOf(asOf, clock.value)}</p>;
}
