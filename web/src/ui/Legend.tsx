import type { Counts } from '../live/tally';
import { statuses, type Status } from '../live/wire';
import { number } from '../text/format';
import { words } from '../text/words';
import { Mark } from './Mark';

const always: readonly Status[] = ['free', 'occupied'];

/** The counts with the signs that stand for them; rare statuses only where there are such spots. */
export const Legend = ({ counts }: { counts: Counts }) => (
  <ul class="legend">
    {shown(counts).map((status) => (
      <li key={status}>
        <Mark status={status} />
        <b>{number(counts[status])}</b> {words.common.status[status]}
      </li>
    ))}
  </ul>
);

/** The same on one line, without free, for a card. Where there is no room for the words, they are in the tip and for those who listen. */
export function Tokens({ counts }: { counts: Counts }) {
  const others = shown(counts).filter((status) => status !== 'free');
  return (
    <ul class="legend tokens">
      {others.map((status) => (
        <li key={status} title={`${number(counts[status])} ${words.common.status[status]}`}>
          <Mark status={status} />
          <b>{number(counts[status])}</b>
          <span class={others.length > 2 ? 'unseen' : undefined}> {words.common.status[status]}</span>
        </li>
      ))}
    </ul>
  );
}

const shown = (counts: Counts) => statuses.filter((status) => counts[status] > 0 || always.includes(status));
