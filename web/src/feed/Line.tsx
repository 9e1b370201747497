import type { ReadonlySignal } from '@preact/signals';
import type { FeedItem } from '../live/feed';
import { isStatus } from '../live/wire';
import { fullTime, shortTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { Mark } from '../ui/Mark';
import { lotPath, spotPath } from '../ui/router';

const newness = 1_000; // milliseconds

interface LineProps {
  readonly item: FeedItem;
  readonly names: ReadonlySignal<ReadonlyMap<string, string>>;
  /** With the time of day instead of how long ago it was: for a page that is read closely. */
  readonly exact: boolean;
  /** Its number in the list. */
  readonly index: number;
  /** Whether the tabulator key stops here. */
  readonly stop: boolean;
}

/** A line of the feed. It reads a signal, the names, and so is not drawn again while its properties stay the same; what says that some are missing also reads the clock. */
export function Line({ item, names, exact, index, stop }: LineProps) {
  const { value } = names;
  if (item.kind === 'gap') {
    return (
      <li class="gap" data-testid="feed-gap" data-index={index} style={{ '--at': index }}>
        <p>{words.feed.gapBetween(item.since, item.at, clock.value)}</p>
        {exact && <When at={item.at} exact />}
      </li>
    );
  }
  const { event, name, lotId, at, came, motion } = item;
  const tabIndex = stop ? 0 : -1;
  const isNew = motion && Date.now() - came < newness; // and not one that comes into sight again
  return (
    <li data-testid="feed-item" data-index={index} style={{ '--at': index }} data-change={event.change} data-status={event.status} data-motion={isNew || undefined}>
      <Mark status={isStatus(event.status) ? event.status : 'unknown'} />
      <p>
        <span class="who">
          <a href={spotPath(event.spotId)} tabIndex={tabIndex}><b>{name}</b></a>
          {lotId !== undefined && <> · <a href={lotPath(lotId)} tabIndex={tabIndex}>{value.get(lotId) ?? lotId}</a></>}
        </span>
        {' '}
        <span>{words.common.happened(event)}</span>
      </p>
      <When at={at} exact={exact} />
    </li>
  );
}

/** Its own component, as it alone is drawn again while time goes by. */
const When = ({ at, exact }: { at: number; exact: boolean }) => (
  <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>{exact ? shortTime(at, clock.value) : words.common.ago(at, clock.value)}</time>
);
