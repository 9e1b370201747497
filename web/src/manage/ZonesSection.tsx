import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import type { Session } from '../live/session';
import type { Zone } from '../live/wire';
import type { LotPageProps } from '../shell/pages';
import { number } from '../text/format';
import { words } from '../text/words';
import { finish } from './acting';
import { ManageApi } from './api';
import { Confirm, Dialog } from './Dialog';
import { Trouble } from './Trouble';
import type { Versioned } from './wire';
import { ZoneForm } from './ZoneForm';

/** The zones of a lot. */
export function ZonesSection({ session, lot }: LotPageProps) {
  const open = useSignal<{ readonly zone: Versioned<Zone> | undefined } | undefined>(undefined);
  const leaving = useSignal<Zone | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const api = new ManageApi(session.api);
  const zones = session.parking.zonesOfLot(lot.id).value;

  const wanted = useRef<Zone | undefined>(undefined);
  const edit = (zone: Zone) => {
    problem.value = undefined;
    wanted.current = zone;
    const still = () => wanted.current === zone && !open.peek(); // else another one was opened meanwhile
    api.zone(lot.id, zone.id).then((found) => still() && (open.value = { zone: found }), (error: unknown) => still() && (problem.value = problemOf(error)));
  };
  const remove = async (zone: Zone) => {
    problem.value = await finish(session.parking.proposeZone(lot.id, zone.id, undefined), api.removeZone(lot.id, zone.id).then(() => undefined));
  };
  return (
    <section aria-label={words.manage.tab.zones}>
      <div class="tools">
        <button type="button" class="primary" data-testid="add-zone" onClick={() => (open.value = { zone: undefined })}>{words.manage.addZone}</button>
      </div>
      <Trouble problem={problem.value} dismiss={() => (problem.value = undefined)} />
      {zones.length === 0 && <p class="none">{words.manage.noZones}</p>}
      <ul class="entries">
        {zones.map((zone) => (
          <li key={zone.id} data-testid="zone" data-zone-id={zone.id}>
            <b>{zone.name}</b>
            <code>{zone.id}</code>
            {zone.level !== undefined && <span>{words.manage.level(zone.level)}</span>}
            <ZoneCounts session={session} zone={zone} />
            <span class="tools">
              <button type="button" aria-label={words.manage.editOf(zone.name)} onClick={() => edit(zone)}>{words.common.edit}</button>
              <button type="button" aria-label={words.manage.removeOf(zone.name)} onClick={() => (leaving.value = zone)}>{words.common.remove}</button>
            </span>
          </li>
        ))}
      </ul>
      {open.value && (
        <Dialog title={open.value.zone?.item.name ?? words.manage.addZone} close={() => (open.value = undefined)}>
          <ZoneForm session={session} lotId={lot.id} opened={open.value.zone} close={() => (open.value = undefined)} />
        </Dialog>
      )}
      {leaving.value && <Leave zone={leaving.value} close={() => (leaving.value = undefined)} remove={(zone) => void remove(zone)} />}
    </section>
  );
}

const Leave = ({ zone, close, remove }: { zone: Zone; close: () => void; remove: (zone: Zone) => void }) => (
  <Confirm title={words.manage.removeZone} text={words.manage.removeZoneSure(zone.name)} yes={words.common.remove} close={close} go={() => remove(zone)} />
);

function ZoneCounts({ session, zone }: { session: Session; zone: Zone }) {
  const { total, free } = session.parking.countsOfZone(zone.lotId, zone.id).value;
  return <span class="end">{total === 0 ? words.common.noSpots : words.manage.spotsFree(number(total), number(free))}</span>;
}
