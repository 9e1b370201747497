import { useId } from 'preact/hooks';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { useZones } from '../ui/zones';
import type { Draft, Faults, Where } from './draft';
import { Choice, Field } from './fields';
import { categories } from './wire';

export interface PartProps {
  readonly draft: Draft;
  readonly faults: Faults;
  readonly set: (change: Partial<Draft>) => void;
}

const mostOffered = 50; // spots while one types

/** What the rule is of: a lot, a zone of it, a category; one spot; or a category wherever it is. */
export function WhereFields({ session, draft, faults, set }: PartProps & { session: Session }) {
  const { alerts } = words;
  const { where, lotId } = draft;
  useZones(session, lotId === '' ? [] : [lotId], 0);
  return (
    <fieldset>
      <legend>{alerts.where}</legend>
      <Choice<Where> legend={alerts.whereKind} value={where} onChange={(to) => set({ where: to })} among={[['lot', alerts.inLot], ['spot', alerts.atSpot], ['everywhere', alerts.everywhere]]} />
      <div class="fields">
        {where !== 'everywhere' && <LotField session={session} draft={draft} faults={faults} set={set} />}
        {where === 'lot' && lotId !== '' && <ZoneField session={session} draft={draft} faults={faults} set={set} />}
        {where === 'spot' ? (
          <SpotField session={session} draft={draft} faults={faults} set={set} />
        ) : (
          <Field label={alerts.category} fault={faults.category}>
            {(attributes) => (
              <select {...attributes} name="category" value={draft.category} onChange={(event) => set({ category: event.currentTarget.value })}>
                <option value="">{where === 'everywhere' ? alerts.choose : alerts.anyCategory}</option>
                {categories.map((each) => <option key={each} value={each}>{words.common.categoryName(each)}</option>)}
              </select>
            )}
          </Field>
        )}
      </div>
    </fieldset>
  );
}

function LotField({ session, draft, faults, set }: PartProps & { session: Session }) {
  const lots = session.parking.lots.value;
  const unknown = draft.lotId !== '' && !lots.some(({ id }) => id === draft.lotId);
  return (
    <Field label={words.alerts.lot} fault={faults.lotId}>
      {(attributes) => (
        <select {...attributes} name="lot" value={draft.lotId} onChange={(event) => set({ lotId: event.currentTarget.value, zoneId: '' })}>
          <option value="">{draft.where === 'spot' ? words.common.allLots : words.alerts.choose}</option>
          {lots.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          {unknown && <option value={draft.lotId}>{draft.lotId}</option>}
        </select>
      )}
    </Field>
  );
}

function ZoneField({ session, draft, faults, set }: PartProps & { session: Session }) {
  const zones = session.parking.zonesOfLot(draft.lotId).value;
  const unknown = draft.zoneId !== '' && !zones.some(({ id }) => id === draft.zoneId);
  return (
    <Field label={words.alerts.zone} fault={faults.zoneId}>
      {(attributes) => (
        <select {...attributes} name="zone" value={draft.zoneId} onChange={(event) => set({ zoneId: event.currentTarget.value })}>
          <option value="">{words.alerts.wholeLot}</option>
          {zones.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          {unknown && <option value={draft.zoneId}>{draft.zoneId}</option>}
        </select>
      )}
    </Field>
  );
}

/** Spots are many: those are offered of which a part of the id or name is typed. */
function SpotField({ session, draft, faults, set }: PartProps & { session: Session }) {
  const list = useId();
  return (
    <Field label={words.alerts.spot} fault={faults.spotId} hint={words.alerts.spotHint}>
      {(attributes) => (
        <>
          <input {...attributes} name="spot" list={list} value={draft.spotId} autocomplete="off" spellcheck={false} onInput={(event) => set({ spotId: event.currentTarget.value })} />
          <datalist id={list}>
            {matching(session, draft).map(({ spotId, name }) => <option key={spotId} value={spotId}>{name ?? ''}</option>)}
          </datalist>
        </>
      )}
    </Field>
  );
}

interface Offered {
  readonly spotId: string;
  readonly name?: string;
}

function matching({ parking }: Session, { lotId, spotId }: Draft): Offered[] {
  const typed = spotId.trim().toLowerCase();
  const found: Offered[] = [];
  for (const lot of lotId === '' ? parking.lots.peek().map(({ id }) => id) : [lotId]) {
    for (const cell of parking.spotsOfLot(lot)) {
      const spot = cell.peek();
      if (spot.spotId.toLowerCase().includes(typed) || spot.name?.toLowerCase().includes(typed)) found.push(spot);
      if (found.length >= mostOffered) return found;
    }
  }
  return found;
}
