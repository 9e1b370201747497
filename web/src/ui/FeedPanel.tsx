import { useComputed, useSignal, type ReadonlySignal } from '@preact/signals';
import type { FeedItem } from '../live/feed';
import type { Session } from '../live/session';
import { isStatus } from '../live/wire';
import { fullTime } from '../text/format';
import { words } from '../text/words';
import { clock } from './clock';
import { Mark } from './Mark';
import { feedLot, lotPath, narrowFeed } from './router';

/** What happened, the newest first. On a phone it is a sheet that shows the newest line until it is opened. */
export function FeedPanel({ session }: { session: Session }) {
  const unfolded = useSignal(false);
  const items = session.feed.items(feedLot.value).value;
  const names = useComputed(() => new Map(session.parking.lots.value.map((lot) => [lot.id, lot.name])));
  return (
    <aside class="feed" aria-labelledby="feed-title" data-unfolded={unfolded.value}>
      <header>
        <h2 id="feed-title">
          <button type="button" aria-expanded={unfolded.value} aria-controls="feed-list" onClick={() => (unfolded.value = !unfolded.value)}>
            {words.feed.title}
          </button>
          <span>{words.feed.title}</span>
        </h2>
        <LotFilter names={names.value} />
      </header>
      {items.length === 0 ? (
        <p class="none">
          {session.connection.state.value === 'open' && `${words.feed.nothingSince(session.since)} `}
          {words.feed.appearHere}
        </p>
      ) : (
        <ol id="feed-list" tabIndex={0} aria-label={words.feed.list}>
          {items.map((item) => <Line key={item.key} item={item} names={names} />)}
        </ol>
      )}
    </aside>
  );
}

function LotFilter({ names }: { names: Map<string, string> }) {
  const chosen = feedLot.value;
  return (
    <select aria-label={words.feed.showOf} value={chosen ?? ''} onChange={(event) => narrowFeed(event.currentTarget.value || undefined)}>
      <option value="">{words.common.allLots}</option>
      {[...names].map(([id, name]) => <option key={id} value={id}>{name}</option>)}
      {chosen !== undefined && !names.has(chosen) && <option value={chosen}>{chosen}</option>}
    </select>
  );
}

/** It reads a signal, the names, and so is not drawn again while its properties stay the same. */
function Line({ item, names }: { item: FeedItem; names: ReadonlySignal<Map<string, string>> }) {
  const { value } = names;
  if (item.kind === 'gap') return <li class="gap">{words.feed.gap(item.since)}</li>;
  const { event, name, lotId, at } = item;
  return (
    <li data-testid="feed-item" data-motion={item.motion || undefined}>
      <Mark status={isStatus(event.status) ? event.status : 'unknown'} />
      <p>
        {lotId === undefined ? <b>{name}</b> : <a href={lotPath(lotId)}><b>{name}</b> · {value.get(lotId) ?? lotId}</a>}
        {' '}
        <span>{words.common.happened(event)}</span>
      </p>
      <Ago at={at} />
    </li>
  );
}

const Ago = ({ at }: { at: number }) => (
  <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>{words.common.ago(at, clock.value)}</time>
);
