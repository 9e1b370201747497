import type { Counts } from '../live/tally';
import { statuses, type Status } from '../live/wire';
import { number, statusName } from '../text/english';
import { Mark } from './Mark';

const always: readonly Status[] = ['free', 'occupied'];

/** The counts with the signs that stand for them; rare statuses only where there are such spots. */
export const Legend = ({ counts, without }: { counts: Counts; without?: Status }) => (
  <ul class="legend">
    {statuses
      .filter((status) => status !== without && (counts[status] > 0 || always.includes(status)))
      .map((status) => (
        <li key={status}>
          <Mark status={status} />
          <b>{number(counts[status])}</b> {statusName[status]}
        </li>
      ))}
  </ul>
);
