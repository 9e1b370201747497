import type { ReadonlySignal } from '@preact/signals';
import type { FeedItem } from '../live/feed';
import { isStatus } from '../live/wire';
import { clockTime, fullTime, shortTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { Mark } from '../ui/Mark';
import { lotPath, spotPath } from '../ui/router';

const newness = 1_000; // milliseconds

interface LineProps {
  readonly item: FeedItem;
  readonly names: ReadonlySignal<ReadonlyMap<string, string>>;
  /** With the time of day instead of how long ago it was: for a page that is read closely. */
  readonly exact?: boolean;
}

/** A line of the feed. It reads a signal, the names, and so is not drawn again while its properties stay the same. */
export function Line({ item, names, exact = false }: LineProps) {
  const { value } = names;
  if (item.kind === 'gap') {
    const text = exact ? words.feed.gapBetween(item.since, item.at) : words.feed.gap(item.since);
    return <li class="gap" data-testid="feed-gap"><p>{text}</p>{exact && <time dateTime={new Date(item.at).toISOString()}>{clockTime(item.at)}</time>}</li>;
  }
  const { event, name, lotId, at, came, motion } = item;
  const isNew = motion && Date.now() - came < newness; // and not one that comes into sight again
  return (
    <li data-testid="feed-item" data-change={event.change} data-status={event.status} data-motion={isNew || undefined}>
      <Mark status={isStatus(event.status) ? event.status : 'unknown'} />
      <p>
        <span class="who">
          <a href={spotPath(event.spotId)}><b>{name}</b></a>
          {lotId !== undefined && <> · <a href={lotPath(lotId)}>{value.get(lotId) ?? lotId}</a></>}
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
