import type { LotPageProps } from '../shell/pages';
import { Table } from './Table';

export default function LotTablePage({ session, lot }: LotPageProps) {
  return <Table session={session} lot={lot} />;
}
