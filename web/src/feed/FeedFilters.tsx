import { setQuery } from '../ui/router';
import type { Session } from '../live/session';
import { isStatus } from '../live/wire';
import { words } from '../text/words';
import { Chips, Pick, Search } from '../ui/filters';
import { Mark } from '../ui/Mark';
import { isNarrow, kinds, outcomes, parametersOf, type Filter } from './filter';

/** What narrows the feed. All of it is in the address. */
export function FeedFilters({ session: { parking }, filter }: { session: Session; filter: Filter }) {
  const change = (to: Partial<Filter>) => setQuery(parametersOf({ ...filter, ...to }));
  const zones = filter.lot === undefined ? [] : parking.zonesOfLot(filter.lot).value;
  return (
    <div class="narrowing" role="search" aria-label={words.feed.narrow}>
      <div class="filter-row">
        <Search label={words.feed.search} value={filter.text} change={(text) => change({ text })} />
        <Pick
          label={words.feed.showOf}
          all={words.common.allLots}
          options={parking.lots.value.map(({ id, name }) => [id, name] as const)}
          value={filter.lot}
          change={(lot) => change({ lot, zone: undefined })}
        />
        {(zones.length > 0 || filter.zone !== undefined) && (
          <Pick label={words.common.term.zone} all={words.table.allZones} options={zones.map(({ id, name }) => [id, name] as const)} value={filter.zone} change={(zone) => change({ zone })} />
        )}
        {isNarrow(filter) && <button type="button" onClick={() => change({ lot: undefined, zone: undefined, outcomes: [], kinds: [], text: '' })}>{words.table.clear}</button>}
      </div>
      <div class="filter-row">
        <Chips
          label={words.feed.outcome}
          choices={outcomes.map((value) => ({
            value,
            text: value === 'removed' ? words.feed.removed : words.common.status[value],
            sign: isStatus(value) && <Mark status={value} />,
          }))}
          chosen={filter.outcomes}
          change={(of) => change({ outcomes: of })}
        />
      </div>
      <details class="kinds" open={filter.kinds.length > 0}>
        <summary>{words.feed.kindsChosen(filter.kinds.length)}</summary>
        <Chips label={words.feed.what} choices={kinds.map((value) => ({ value, text: words.feed.kind[value] }))} chosen={filter.kinds} change={(what) => change({ kinds: what })} />
      </details>
    </div>
  );
}
