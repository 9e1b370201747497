// Which changes somebody looks at: it is in the address, so that it can be shared.
import type { FeedItem } from '../live/feed';
import { statuses } from '../live/wire';
import { several, together } from '../ui/parameters';
import { hasTerms, termsOf } from '../text/search';

/** What an event may say that a spot is now. */
export const outcomes = [...statuses, 'removed'] as const;
export type Outcome = (typeof outcomes)[number];

/** What can happen to a spot, that which happens most first. */
export const kinds = [
  'occupied', 'released', 'reserved', 'reservation_ended', 'signal_lost', 'signal_restored', 'closed', 'reopened', 'faulted', 'repaired', 'added', 'edited', 'removed',
] as const;
export type Kind = (typeof kinds)[number];

export interface Filter {
  /** Undefined: all. */
  readonly lot: string | undefined;
  readonly zone: string | undefined;
  /** None: all. */
  readonly outcomes: readonly Outcome[];
  readonly kinds: readonly Kind[];
  readonly text: string;
}

export function readFilter(query: URLSearchParams): Filter {
  return {
    lot: query.get('lot') || undefined,
    zone: query.get('zone') || undefined,
    outcomes: several(query, 'status', outcomes),
    kinds: several(query, 'change', kinds),
    text: query.get('q') ?? '',
  };
}

/** The parameters of the address for it. What is not narrowed is not said. */
export function parametersOf({ lot, zone, outcomes: of, kinds: what, text }: Filter): Record<'lot' | 'zone' | 'status' | 'change' | 'q', string | undefined> {
  return { lot, zone, status: together(of), change: together(what), q: text || undefined };
}

export const isNarrow = (filter: Filter): boolean => Object.values(parametersOf(filter)).some((value) => value !== undefined);

/** What lines are found by. */
export interface Sieve {
  readonly lot: string | undefined;
  readonly takes: (item: FeedItem) => boolean;
}

/** textOf: what a line can be found by, folded. Lines that say that changes are missing concern everybody. */
export function sieveOf(filter: Filter, textOf: (item: FeedItem & { kind: 'change' }) => string): Sieve {
  const { lot, zone } = filter;
  const status = new Set<string>(filter.outcomes);
  const what = new Set<string>(filter.kinds);
  const terms = termsOf(filter.text);
  const takes = (item: FeedItem): boolean => {
    if (item.kind === 'gap') return true;
    const { event } = item;
    return (lot === undefined || item.lotId === lot)
      && (zone === undefined || event.zoneId === zone)
      && (status.size === 0 || status.has(event.status))
      && (what.size === 0 || what.has(event.change ?? ''))
      && (terms.length === 0 || hasTerms(textOf(item), terms));
  };
  return { lot, takes };
}
