import type { ComponentChildren } from 'preact';
import type { Lot } from '../live/wire';
import { words } from '../text/words';
import {
  alertsPath, changesPath, cityPath, lotHistoryPath, lotPath, lotTablePath, manageLotPath, managePath, mapPath, place, tablePath, type View,
} from '../ui/router';
import { useAccount } from '../ui/who';

/** The views, at the side of the page or, on a phone, below it. */
export function Nav({ unread }: { unread: number }) {
  const { shell } = words;
  return (
    <nav class="views" aria-label={shell.views}>
      <Item to={cityPath()} name={shell.city} view="city" within={['lot', 'lot-table', 'lot-history']}>
        <path d="M3.5 20.5V9l6-3.5V20.5M9.5 20.5V11l5-2.5v12M14.5 20.5V6l6 2.5v12M2 20.5h20" />
      </Item>
      <Item to={mapPath()} name={shell.map} view="map"><path d="m9 4.5-5.5 2.25v13L9 17.5l6 2.25 5.5-2.25v-13L15 6.75zm0 0v13m6-10.75v13" /></Item>
      <Item to={tablePath()} name={shell.table} view="table" within={['spot']}><path d="M3.5 5h17v14h-17zm0 4.7h17m-17 4.6h17M9.5 9.7V19" /></Item>
      <Item to={changesPath()} name={shell.changes} view="changes"><path d="M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01" /></Item>
      <Item to={alertsPath()} name={shell.alerts} view="alerts" badge={unread}>
        <path d="M12 3.5a5.5 5.5 0 0 1 5.5 5.5c0 5 2 6.5 2 6.5h-15s2-1.5 2-6.5A5.5 5.5 0 0 1 12 3.5m-2 15.5a2 2 0 0 0 4 0" />
      </Item>
      {useAccount().mayAnywhere('operate') && (
        <Item to={managePath()} name={shell.manage} view="manage" within={['manage-lot', 'import']}>
          <path d="M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5m-7 5v5" />
        </Item>
      )}
    </nav>
  );
}

interface ItemProps {
  readonly to: string;
  readonly name: string;
  readonly view: View;
  /** The views that belong to it. */
  readonly within?: readonly View[];
  readonly badge?: number;
  readonly children: ComponentChildren;
}

function Item({ to, name, view, within = [], badge = 0, children }: ItemProps) {
  const at = place.value.view;
  return (
    <a href={to} data-view-link={view} aria-current={at === view ? 'page' : within.includes(at) ? 'true' : undefined}>
      <svg viewBox="0 0 24 24" aria-hidden="true">{children}</svg>
      <span>{name}</span>
      {badge > 0 && <b><span class="unseen">{words.shell.unread(badge)}</span><span aria-hidden="true">{badge > 99 ? '99+' : badge}</span></b>}
    </a>
  );
}

/** What there is of one lot. */
export function LotTabs({ lot }: { lot: Lot }) {
  const { view } = place.value;
  const { shell } = words;
  const tabs: readonly (readonly [View, string, string])[] = [
    ['lot', shell.plan, lotPath(lot.id)],
    ['lot-table', shell.table, lotTablePath(lot.id)],
    ['lot-history', shell.history, lotHistoryPath(lot.id)],
  ];
  return (
    <nav class="tabs" aria-label={shell.viewsOf(lot.name)}>
      {tabs.map(([of, name, to]) => <a key={of} href={to} aria-current={of === view ? 'page' : undefined}>{name}</a>)}
      <a class="tell" href={alertsPath({ rule: 'new', lot: lot.id })}>{shell.tellMe}</a>
      {useAccount().may('operate', lot.id) && <a href={manageLotPath(lot.id)} aria-current={view === 'manage-lot' ? 'page' : undefined}>{shell.manage}</a>}
    </nav>
  );
}
