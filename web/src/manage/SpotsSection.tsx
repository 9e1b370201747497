import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Cell } from '../live/shown';
import { statuses } from '../live/wire';
import type { LotPageProps } from '../shell/pages';
import { number } from '../text/format';
import { Listing } from '../table/listing';
import { withoutZone } from '../table/view';
import { words } from '../text/words';
import { FileLink } from '../ui/FileLink';
import { Search } from '../ui/filters';
import { importPath, query, setQuery } from '../ui/router';
import { AddSpots } from './AddSpots';
import { bulkOf } from './bulk';
import { BulkBar } from './BulkBar';
import { viewOf } from './choose';
import { Dialog } from './Dialog';
import { EditSpot } from './EditSpot';
import { Pages, pageSize } from './Pages';
import { SpotRow } from './SpotRow';

/** Files that an import reads again. */
const formats = [['csv', 'CSV'], ['geojson', 'GeoJSON']] as const;

/** The spots of a lot: found, chosen, changed one by one or many at once. */
export function SpotsSection({ session, lot }: LotPageProps) {
  const adding = useSignal(false);
  const { picked } = bulkOf(session, lot.id);
  // As text, so that what has nothing to do with it does not make the list anew.
  const asked = useComputed(() => JSON.stringify(['q', 'zone', 'status'].map((name) => query.value.get(name) ?? '')));
  const choice = useComputed(() => {
    const [search, zone, status] = JSON.parse(asked.value) as [string, string, string];
    return { search, zone, status };
  });
  const view = useComputed(() => viewOf(lot.id, choice.value));
  const listing = useMemo(() => new Listing(session.parking, view), [session, view]);
  useEffect(() => listing.follow(), [listing]);
  const spots = listing.found.value.cells;
  const zones = session.parking.zonesOfLot(lot.id).value;
  const { search, zone, status } = choice.value;
  const page = Math.max(1, Math.min(Number(query.value.get('page')) || 1, Math.ceil(spots.length / pageSize)));
  const shown = spots.slice((page - 1) * pageSize, page * pageSize);
  const pick = (cells: readonly Cell[], is: boolean) => {
    const next = new Set(picked.value);
    for (const cell of cells) {
      if (is) next.add(cell.peek().spotId);
      else next.delete(cell.peek().spotId);
    }
    picked.value = next;
  };
  const all = shown.length > 0 && shown.every((cell) => picked.value.has(cell.peek().spotId));
  const edited = query.value.get('spot');

  return (
    <section aria-label={words.manage.tab.spots}>
      <div class="tools">
        <button type="button" class="primary" data-testid="add-spots" onClick={() => (adding.value = true)}>{words.manage.addSpots}</button>
        <a class="button" href={importPath({ lot: lot.id })}>{words.shell.import}</a>
        <span class="files">
          {words.manage.export}
          {formats.map(([format, name]) => (
            <FileLink key={format} api={session.api} path={`/api/v1/lots/${encodeURIComponent(lot.id)}/spots`} query={{ format }} name={`${lot.id}.${format}`}>{name}</FileLink>
          ))}
        </span>
      </div>
      <div class="filters" role="search">
        <Search label={words.manage.searchSpots} value={search} change={(q) => setQuery({ q, page: undefined })} />
        <select aria-label={words.manage.spotFields.zoneId} value={zone} onChange={(event) => setQuery({ zone: event.currentTarget.value, page: undefined })}>
          <option value="">{words.manage.allZones}</option>
          {zones.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          <option value={withoutZone}>{words.manage.noZone}</option>
        </select>
        <select aria-label={words.manage.spotFields.status} value={status} onChange={(event) => setQuery({ status: event.currentTarget.value, page: undefined })}>
          <option value="">{words.manage.allStatuses}</option>
          {statuses.map((each) => <option key={each} value={each}>{words.common.status[each]}</option>)}
        </select>
      </div>
      {shown.length === 0 ? (
        <p class="none">{search || zone || status ? words.manage.nothingFound : words.manage.noSpots}</p>
      ) : (
        <table class="spots">
          <caption class="unseen">{words.manage.spotsOf(lot.name)}</caption>
          <thead>
            <tr>
              <th scope="col"><label class="hit"><input type="checkbox" aria-label={words.manage.pickPage} checked={all} onChange={(event) => pick(shown, event.currentTarget.checked)} /></label></th>
              <th scope="col">{words.manage.spotFields.name}</th>
              <th scope="col">{words.manage.spotFields.status}</th>
              <th scope="col">{words.manage.spotFields.zoneId}</th>
              <th scope="col">{words.manage.spotFields.category}</th>
              <th scope="col"><span class="unseen">{words.common.edit}</span></th>
            </tr>
          </thead>
          <tbody>
            {shown.map((cell) => (
              <SpotRow key={cell.peek().spotId} cell={cell} zones={zones} picked={picked.value.has(cell.peek().spotId)} pick={(is) => pick([cell], is)} />
            ))}
          </tbody>
        </table>
      )}
      <Pages page={page} total={spots.length} />
      {all && spots.some((cell) => !picked.value.has(cell.peek().spotId)) && (
        <button type="button" onClick={() => pick(spots, true)}>{words.manage.pickAll(number(spots.length))}</button>
      )}
      <BulkBar session={session} lot={lot} />
      {adding.value && (
        <Dialog title={words.manage.addSpots} close={() => (adding.value = false)}>
          <AddSpots session={session} lotId={lot.id} close={() => (adding.value = false)} />
        </Dialog>
      )}
      {edited !== null && <EditSpot key={edited} session={session} lotId={lot.id} spotId={edited} />}
    </section>
  );
}
