import type { Session } from '../live/session';
import type { Counts } from '../live/tally';
import type { Lot } from '../live/wire';
import { number } from '../text/format';
import { words } from '../text/words';
import { Tokens } from './Legend';
import { Proportion } from './Proportion';
import { lotPath } from './router';

/** How easily a spot is found: what the card says at a glance. */
export function ease({ free, total }: Counts): 'empty' | 'full' | 'few' | 'free' {
  if (total === 0) return 'empty';
  if (free === 0) return 'full';
  return free <= total * (free <= 3 ? 0.2 : 0.05) ? 'few' : 'free'; // one of two is not few, three of forty are
}

export function LotCard({ session, lot, current }: { session: Session; lot: Lot; current: boolean }) {
  const counts = session.parking.countsOfLot(lot.id).value;
  const found = ease(counts);
  return (
    <a
      class="card"
      href={lotPath(lot.id)}
      aria-current={current ? 'page' : undefined}
      data-testid="lot"
      data-lot-id={lot.id}
      data-ease={found}
      data-total={counts.total}
      data-free={counts.free}
      data-reserved={counts.reserved}
      data-occupied={counts.occupied}
      data-unknown={counts.unknown}
      data-out-of-service={counts.out_of_service}
      data-closed={counts.closed}
    >
      <h2>{lot.name}</h2>
      {found === 'empty' ? (
        <p class="none">{words.common.noSpots}</p>
      ) : (
        <>
          <p class="free">
            <strong>{number(counts.free)}</strong> <span>{words.common.freeOf(counts.total)}</span>
            {found === 'full' && <em>{words.common.full}</em>}
            {found === 'few' && <em>{words.common.fewLeft}</em>}
          </p>
          <Proportion counts={counts} />
          <Tokens counts={counts} />
        </>
      )}
    </a>
  );
}
