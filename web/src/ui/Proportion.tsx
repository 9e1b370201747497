import type { Counts } from '../live/tally';
import { statuses } from '../live/wire';

/** A bar that shows how many spots have each status. What it shows is said in words beside it. */
export const Proportion = ({ counts }: { counts: Counts }) => (
  <div class="proportion" aria-hidden="true">
    {statuses.map((status) => counts[status] > 0 && <i key={status} data-status={status} style={{ flexGrow: counts[status] }} />)}
  </div>
);
