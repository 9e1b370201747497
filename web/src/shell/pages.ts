// The views, each in a chunk of its own, and what they are given.
import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import { lazy } from './lazy';

export interface PageProps {
  readonly session: Session;
}

/** For the views of one lot: it is there. The view is made anew for another lot. */
export interface LotPageProps extends PageProps {
  readonly lot: Lot;
}

/** Whether there is such a spot, the view finds out itself. */
export interface SpotPageProps extends PageProps {
  readonly spotId: string;
}

export const MapPage = lazy<PageProps>(() => import('../map/MapPage'));
export const PlanPage = lazy<LotPageProps>(() => import('../plan/PlanPage'));
export const TablePage = lazy<PageProps>(() => import('../table/TablePage'));
export const LotTablePage = lazy<LotPageProps>(() => import('../table/LotTablePage'));
export const SpotPage = lazy<SpotPageProps>(() => import('../spot/SpotPage'));
export const ChangesPage = lazy<PageProps>(() => import('../feed/ChangesPage'));
export const HistoryPage = lazy<LotPageProps>(() => import('../history/HistoryPage'));
export const AlertsPage = lazy<PageProps>(() => import('../alerts/AlertsPage'));
export const ManagePage = lazy<PageProps>(() => import('../manage/ManagePage'));
export const ManageLotPage = lazy<LotPageProps>(() => import('../manage/ManageLotPage'));
export const ImportPage = lazy<PageProps>(() => import('../manage/ImportPage'));
