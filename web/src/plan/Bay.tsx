import type { CSSProperties } from 'preact';
import type { Cell } from '../live/parking';
import { words } from '../text/words';

interface BayProps {
  readonly cell: Cell;
  readonly label: string;
  /** Whether the tabulator key stops here; arrow keys reach the others. */
  readonly stop: boolean;
  readonly pick: (cell: Cell) => void;
  /** Where it stands, unless it follows the one before. */
  readonly style?: CSSProperties;
}

/** One spot in a plan: a single element, as a lot may have thousands. It draws itself anew when its own spot changes, and at no other time. */
export function Bay({ cell, label, stop, pick, style }: BayProps) {
  const spot = cell.value;
  return (
    <button
      type="button"
      class="bay"
      {...(style && { style })}
      tabIndex={stop ? 0 : -1}
      aria-label={`${spot.name ?? spot.spotId} ${words.common.status[spot.status]}`}
      onClick={() => pick(cell)}
      data-testid="spot"
      data-spot-id={spot.spotId}
      data-status={spot.status}
      data-version={spot.version}
      data-proposed={spot.proposed}
      data-pulse={spot.pulse === 0 ? undefined : spot.pulse % 2 === 0 ? 'even' : 'odd'}
    >
      {label}
    </button>
  );
}
