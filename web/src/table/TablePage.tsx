import type { PageProps } from '../shell/pages';
import { Table } from './Table';

export default function TablePage({ session }: PageProps) {
  return <Table session={session} />;
}
