import type { ComponentChildren } from 'preact';
import type { Asked } from '../history/asked';
import { duration } from '../history/format';
import { Trouble } from '../history/Trouble';
import type { Session } from '../live/session';
import { shortTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import type { SpotFacts } from './wire';

/** What is behind its status, and what it is by. */
export function Facts({ session, facts }: { session: Session; facts: Asked<SpotFacts> }) {
  const spot = facts.answer.value;
  const { spot: said, common } = words;
  if (!spot) return <Trouble of={facts} />;
  const lotName = session.parking.lots.value.find(({ id }) => id === spot.lotId)?.name ?? spot.lotId;
  const { reservation, location } = spot;
  return (
    <section class="card-like known" aria-label={said.facts}>
      <dl class="facts">
        <Fact name={said.id}><code>{spot.spotId}</code></Fact>
        <Fact name={words.table.columns.lot}>{lotName}</Fact>
        <Fact name={words.table.columns.category}>{common.categoryName(spot.category ?? 'standard')}</Fact>
        <Fact name={said.vehicle}>{said.occupancy[spot.occupancy]}</Fact>
        {spot.closed && <Fact name={common.status.closed}>{said.byOperator}</Fact>}
        {spot.faulted && <Fact name={common.status.out_of_service}>{said.byOperator}</Fact>}
        {reservation && (
          <Fact name={common.status.reserved}>
            {reservation.until === undefined ? said.untilEnded : said.until(at(reservation.until))}
            {reservation.reference !== undefined && ` · ${reservation.reference}`}
          </Fact>
        )}
        <Fact name={said.lastReading}>{spot.lastObservedAt === undefined ? said.never : <Moment time={spot.lastObservedAt} />}</Fact>
        <Fact name={said.sensor}>{spot.sensorId === undefined ? said.noSensor : <code>{spot.sensorId}</code>}</Fact>
        {(spot.heartbeatSeconds ?? 0) > 0 && <Fact name={said.supervised}>{said.silentAfter(duration(spot.heartbeatSeconds! / 60))}</Fact>}
        {location && <Fact name={said.location}>{said.point(location.lat.toFixed(5), location.lon.toFixed(5))}</Fact>}
        <Fact name={said.version}>{String(spot.version)}</Fact>
      </dl>
      <Trouble of={facts} />
    </section>
  );
}

const at = (time: string) => shortTime(Date.parse(time), clock.value);

const Moment = ({ time }: { time: string }) => <time dateTime={time}>{at(time)} ({words.common.ago(Date.parse(time), clock.value)})</time>;

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
