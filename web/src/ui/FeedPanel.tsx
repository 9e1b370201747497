import { useComputed, useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { LineList } from '../feed/LineList';
import { NewOnes, PauseButton } from '../feed/PauseButton';
import { useReader } from '../feed/useReader';
import type { FeedItem } from '../live/feed';
import type { Session } from '../live/session';
import { kiosk } from '../shell/settings';
import { words } from '../text/words';
import { clock } from './clock';
import { changesPath, feedLot, narrowFeed } from './router';

const length = 200; // lines

/** What happened, the newest first. On a phone it is a sheet that shows the newest line until it is opened. */
export function FeedPanel({ session }: { session: Session }) {
  const unfolded = useSignal(false);
  const list = useRef<HTMLDivElement>(null);
  const names = useComputed(() => new Map(session.parking.lots.value.map((lot) => [lot.id, lot.name])));
  const sieve = useComputed(() => {
    const lot = feedLot.value;
    return { lot, takes: (item: FeedItem) => lot === undefined || item.kind === 'gap' || item.lotId === lot };
  });
  const pace = useReader(session, sieve, length);
  const { reader, paused, away, inside } = pace;
  const lines = reader.lines.value;
  const toTop = () => {
    list.current?.scrollTo({ top: 0 });
    list.current?.focus({ preventScroll: true });
    away.value = inside.value = false;
  };
  const fold = () => {
    unfolded.value = !unfolded.value;
    if (!unfolded.value) list.current?.scrollTo({ top: 0 }); // folded it shows the newest line
  };
  return (
    <aside class="feed" aria-labelledby="feed-title" data-unfolded={unfolded.value} data-paused={paused.value || undefined}>
      <header>
        <h2 id="feed-title">
          <button type="button" aria-expanded={unfolded.value} aria-controls="feed-list" onClick={fold}>
            {words.feed.title}
          </button>
          <span>{words.feed.title}</span>
        </h2>
        <LotFilter names={names.value} />
        {!kiosk.value && <PauseButton paused={paused} reader={reader} />}
      </header>
      <NewOnes reader={reader} pace={pace} show={toTop} />
      {lines.length === 0 ? (
        <p class="none">
          {session.connection.state.value === 'open' && `${words.feed.nothingSince(session.since, clock.value)} `}
          {words.feed.appearHere}
        </p>
      ) : (
        <div
          id="feed-list"
          class="lines"
          ref={list}
          role="group"
          tabIndex={0}
          aria-labelledby="feed-title"
          onScroll={(event) => (away.value = !kiosk.peek() && event.currentTarget.scrollTop > 24)}
        >
          <LineList lines={lines} names={names} inside={inside} />
        </div>
      )}
      {!kiosk.value && <p class="more"><a href={changesPath({ lot: feedLot.value })}>{words.feed.all}</a></p>}
    </aside>
  );
}

function LotFilter({ names }: { names: ReadonlyMap<string, string> }) {
  const chosen = feedLot.value;
  return (
    <select aria-label={words.feed.showOf} value={chosen ?? ''} onChange={(event) => narrowFeed(event.currentTarget.value || undefined)}>
      <option value="">{words.common.allLots}</option>
      {[...names].map(([id, name]) => <option key={id} value={id}>{name}</option>)}
      {chosen !== undefined && !names.has(chosen) && <option value={chosen}>{chosen}</option>}
    </select>
  );
}
