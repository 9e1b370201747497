import type { Cell } from '../live/shown';
import { words } from '../text/words';
import { usePulse } from '../ui/pulse';

interface BayProps {
  readonly cell: Cell;
  readonly label: string;
  /** Its number in the list. */
  readonly index: number;
  /** Whether the tabulator key stops here; arrow keys reach the others. */
  readonly stop: boolean;
  /** Whether more is told of it. */
  readonly picked: boolean;
  readonly pick: (cell: Cell) => void;
  /** Where it stands, unless it follows the one before: as text, which is the same where the place is. */
  readonly style?: string;
}

/** One spot in a plan: a single element. It draws itself anew when its own spot changes, and at no other time. */
export function Bay({ cell, label, index, stop, picked, pick, style }: BayProps) {
  const spot = cell.value;
  return (
    <button
      type="button"
      class="bay"
      {...(style && { style })}
      tabIndex={stop ? 0 : -1}
      aria-pressed={picked}
      aria-label={`${spot.name ?? spot.spotId} ${words.common.status[spot.status]}`}
      onClick={() => pick(cell)}
      data-testid="spot"
      data-index={index}
      data-picked={picked || undefined}
      data-spot-id={spot.spotId}
      data-status={spot.status}
      data-version={spot.version}
      data-proposed={spot.proposed}
      data-pulse={usePulse(spot.pulse)}
    >
      {label}
    </button>
  );
}
