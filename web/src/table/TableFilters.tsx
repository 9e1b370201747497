import type { Session } from '../live/session';
import { statuses, type Status } from '../live/wire';
import { words } from '../text/words';
import { Chips, Pick, Search } from '../ui/filters';
import { Mark } from '../ui/Mark';
import { categories, columns, isNarrow, type Column, type View } from './view';

interface TableFiltersProps {
  readonly session: Session;
  readonly view: View;
  /** The lot of which the table is; undefined: of all. */
  readonly of: string | undefined;
  readonly byStatus: Readonly<Record<Status, number>>;
  readonly change: (to: Partial<View>) => void;
}

/** What narrows the table, and on a phone, where it has no head, its order. All of it is in the address. */
export function TableFilters({ session: { parking }, view, of, byStatus, change }: TableFiltersProps) {
  const { table, common } = words;
  const zones = view.lot === undefined ? [] : parking.zonesOfLot(view.lot).value;
  return (
    <div class="narrowing" role="search" aria-label={table.narrow}>
      <div class="filter-row">
        <Search label={table.search} value={view.text} change={(text) => change({ text })} />
        {of === undefined && (
          <Pick
            label={table.columns.lot}
            all={common.allLots}
            options={parking.lots.value.map(({ id, name }) => [id, name] as const)}
            value={view.lot}
            change={(lot) => change({ lot, zone: undefined })}
          />
        )}
        {(zones.length > 0 || view.zone !== undefined) && (
          <Pick label={common.term.zone} all={table.allZones} options={zones.map(({ id, name }) => [id, name] as const)} value={view.zone} change={(zone) => change({ zone })} />
        )}
        <Pick
          label={table.columns.category}
          all={table.allCategories}
          options={categories.map((category) => [category, common.categoryName(category)] as const)}
          value={view.category}
          change={(category) => change({ category: categories.find((each) => each === category) })}
        />
        <Order view={view} of={of} change={change} />
        {isNarrow(view, of) && <button type="button" onClick={() => change({ lot: of, zone: undefined, category: undefined, statuses: [], text: '' })}>{table.clear}</button>}
      </div>
      <div class="filter-row">
        <Chips
          label={table.columns.status}
          choices={statuses.map((value) => ({ value, text: common.status[value], sign: <Mark status={value} />, count: byStatus[value] }))}
          chosen={view.statuses}
          change={(chosen) => change({ statuses: chosen })}
        />
      </div>
    </div>
  );
}

/** By what it is ordered, for a screen that has no room for the head of the table. */
function Order({ view: { sort }, of, change }: Omit<TableFiltersProps, 'session' | 'byStatus'>) {
  const { table } = words;
  const choose = (text: string) => change({ sort: { by: text.replace('-', '') as Column, falling: text.startsWith('-') } });
  return (
    <select class="pick-one order" aria-label={table.order} value={`${sort.falling ? '-' : ''}${sort.by}`} onChange={(event) => choose(event.currentTarget.value)}>
      {columns.filter((column) => of === undefined || column !== 'lot').flatMap((column) => [
        <option key={column} value={column}>{table.rising(table.columns[column])}</option>,
        <option key={`-${column}`} value={`-${column}`}>{table.falling(table.columns[column])}</option>,
      ])}
    </select>
  );
}
