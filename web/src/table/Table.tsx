import { untracked, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import type { Cell } from '../live/shown';
import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import { useTitle } from '../shell/title';
import { number } from '../text/format';
import { words } from '../text/words';
import { Legend } from '../ui/Legend';
import { Proportion } from '../ui/Proportion';
import { here, query, setQuery } from '../ui/router';
import { useZones } from '../ui/zones';
import { Files } from './Files';
import { Listing } from './listing';
import { SpotTable } from './SpotTable';
import { TableFilters } from './TableFilters';
import { isNarrow, parametersOf, readView, type View } from './view';
import './table.css';

/** Where somebody was in which table, for when they come back from a spot. */
let left: { readonly address: string; readonly spotId: string } | undefined;

/** The spots of a lot, or of all lots, as rows. */
export function Table({ session, lot }: { session: Session; lot?: Lot }) {
  const { parking } = session;
  const of = lot?.id;
  // As text, so that what has nothing to do with it does not make the list anew.
  const asked = useComputed(() => JSON.stringify(parametersOf(readView(query.value, of), of)));
  const view = useComputed(() => {
    asked.value;
    return readView(query.peek(), of);
  });
  const listing = useMemo(() => new Listing(parking, view), [parking, view]);
  useEffect(() => listing.follow(), [listing]);
  useZones(session, view.value.lot === undefined ? [] : [view.value.lot]);

  const { cells, byStatus, total } = listing.found.value;
  const active = useReturn(session);
  const change = (to: Partial<View>) => setQuery(parametersOf({ ...view.peek(), ...to }, of));
  useTitle(lot ? undefined : words.table.all);
  const what = lot ? words.table.ofLot(lot.name) : words.table.all;
  return (
    <article class="spot-table" data-narrow={isNarrow(view.value, of) || undefined}>
      <header>
        <h1 tabIndex={-1}>{lot ? lot.name : words.table.all}</h1>
        <Counts session={session} lotId={of} />
      </header>
      <TableFilters session={session} view={view.value} of={of} byStatus={byStatus} change={change} />
      <p class="found">
        <span data-testid="found" data-found={cells.length} data-total={total}>{words.table.found(number(cells.length), number(total), cells.length === total)}</span>
        <Files session={session} view={view.value} />
      </p>
      <p id="table-keys" class="unseen">{words.table.keys}</p>
      {cells.length === 0 ? (
        <p class="none" data-testid="table-empty">{isNarrow(view.value, of) ? words.table.noneMatches : words.common.noSpots}</p>
      ) : (
        <SpotTable session={session} what={what} cells={cells} ofLots={view.value.lot === undefined} sort={view.value.sort} order={(sort) => change({ sort })} active={active} />
      )}
    </article>
  );
}

/** Its own component, as it changes with every event. */
function Counts({ session: { parking }, lotId }: { session: Session; lotId: string | undefined }) {
  const counts = (lotId === undefined ? parking.total : parking.countsOfLot(lotId)).value;
  return (
    <>
      <Proportion counts={counts} />
      <Legend counts={counts} />
    </>
  );
}

/** The row in which somebody is. Who comes back to the same table finds it again. */
function useReturn({ parking }: Session) {
  const active = useSignal<Cell | undefined>(untracked(() => (left?.address === here() ? parking.spot(left.spotId) : undefined)));
  useLayoutEffect(() => {
    const spotId = active.peek()?.peek().spotId;
    if (spotId !== undefined) document.querySelector(`[data-testid="row"][data-spot-id="${CSS.escape(spotId)}"]`)?.scrollIntoView({ block: 'center' });
  }, [active]);
  useSignalEffect(() => {
    if (active.value) left = { address: here(), spotId: active.value.peek().spotId };
  });
  return active;
}
