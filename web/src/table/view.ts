// Which spots the table shows, and in which order: it is in the address, so that it can be shared.
import { statuses, type Status } from '../live/wire';
import { several, together } from '../ui/parameters';

/** The categories, as the platform lists them. */
export const categories = ['standard', 'accessible', 'electric', 'family', 'motorcycle', 'short_stay'] as const;
export type Category = (typeof categories)[number];

export const columns = ['status', 'name', 'lot', 'zone', 'category', 'since'] as const;
export type Column = (typeof columns)[number];

export interface Sort {
  readonly by: Column;
  readonly falling: boolean;
}

/** In the place of a zone's id: the spots of no zone. */
export const withoutZone = '-';

export interface View {
  /** Undefined: all. */
  readonly lot: string | undefined;
  readonly zone: string | undefined;
  readonly category: Category | undefined;
  /** None: all. */
  readonly statuses: readonly Status[];
  readonly text: string;
  readonly sort: Sort;
}

/** of: the lot of which the table is, whatever the address says. */
export function readView(query: URLSearchParams, of?: string): View {
  const said = query.get('sort') ?? '';
  const by = columns.find((column) => column === said.replace(/^-/, ''));
  return {
    lot: of ?? (query.get('lot') || undefined),
    zone: query.get('zone') || undefined,
    category: categories.find((category) => category === query.get('category')),
    statuses: several(query, 'status', statuses),
    text: query.get('q') ?? '',
    sort: { by: by ?? 'name', falling: by !== undefined && said.startsWith('-') },
  };
}

/** The parameters of the address for it. What is usual is not said. */
export function parametersOf(view: View, of?: string): Record<'lot' | 'zone' | 'category' | 'status' | 'q' | 'sort', string | undefined> {
  const { by, falling } = view.sort;
  return {
    lot: of === undefined ? view.lot : undefined,
    zone: view.zone,
    category: view.category,
    status: together(view.statuses),
    q: view.text || undefined,
    sort: by === 'name' && !falling ? undefined : `${falling ? '-' : ''}${by}`,
  };
}

/** Whether anything is left out. */
export const isNarrow = (view: View, of?: string): boolean => Object.entries(parametersOf(view, of)).some(([name, value]) => name !== 'sort' && value !== undefined);

/** The order after the head of a column was pressed. Of times the newest is what one looks for first. */
export const sortedBy = (sort: Sort, by: Column): Sort => ({ by, falling: sort.by === by ? !sort.falling : by === 'since' });
