import { useComputed, type ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { FeedItem } from '../live/feed';
import type { Session } from '../live/session';
import type { PageProps } from '../shell/pages';
import { kiosk } from '../shell/settings';
import { useTitle } from '../shell/title';
import { folded } from '../text/search';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { query } from '../ui/router';
import { useZones } from '../ui/zones';
import { FeedFilters } from './FeedFilters';
import { isNarrow, parametersOf, readFilter, sieveOf } from './filter';
import { LineList } from './LineList';
import { NewOnes, PauseButton } from './PauseButton';
import { readerLength } from './reader';
import { useReader, type Pace } from './useReader';
import './changes.css';

/** All that happens, for those who want to see a part of it, or want it to stand still. */
export default function ChangesPage({ session }: PageProps) {
  const { parking } = session;
  // As text, so that what has nothing to do with it does not begin the list anew.
  const asked = useComputed(() => JSON.stringify(parametersOf(readFilter(query.value))));
  const filter = useComputed(() => {
    asked.value;
    return readFilter(query.peek());
  });
  const names = useComputed(() => new Map(parking.lots.value.map((lot) => [lot.id, lot.name])));
  const sieve = useComputed(() => sieveOf(filter.value, (item) => textOf(session, item, names.peek())));
  const pace = useReader(session, sieve, readerLength);
  const { reader, paused, away, inside } = pace;
  const top = useRef<HTMLElement>(null);
  useTitle(words.feed.title);
  useZones(session, filter.value.lot === undefined ? [] : [filter.value.lot]);

  const toTop = () => {
    top.current?.scrollIntoView({ block: 'start' });
    top.current?.querySelector('h1')?.focus({ preventScroll: true });
    away.value = inside.value = false;
  };
  return (
    <article class="all-changes" ref={top} data-paused={paused.value || undefined}>
      <header>
        <h1 tabIndex={-1}>{words.feed.title}</h1>
        {!kiosk.value && <PauseButton paused={paused} reader={reader} />}
        {paused.value && <p class="quiet" role="status">{words.feed.paused}</p>}
      </header>
      <FeedFilters session={session} filter={filter.value} />
      <NewOnes reader={reader} pace={pace} show={toTop} />
      <Lines session={session} lines={reader.lines.value} names={names} pace={pace} narrow={isNarrow(filter.value)} />
    </article>
  );
}

interface LinesProps {
  readonly session: Session;
  readonly lines: readonly FeedItem[];
  readonly names: ReadonlySignal<ReadonlyMap<string, string>>;
  readonly pace: Pace;
  readonly narrow: boolean;
}

function Lines({ session, lines, names, pace: { away, inside }, narrow }: LinesProps) {
  const list = useRef<HTMLDivElement>(null);
  // Who has moved away from the newest line reads there, and it does not run away from them. A wall display is moved by itself.
  useEffect(() => {
    const look = () => {
      const begin = list.current?.getBoundingClientRect().top;
      if (begin !== undefined) away.value = !kiosk.peek() && begin < upperEdge() - 8;
    };
    document.addEventListener('scroll', look, { capture: true, passive: true });
    return () => document.removeEventListener('scroll', look, { capture: true });
  }, [away]);

  if (lines.length === 0) {
    const since = session.connection.state.value === 'open' && !narrow ? `${words.feed.nothingSince(session.since, clock.value)} ` : '';
    return <p class="none" data-testid="feed-empty">{since}{narrow ? words.feed.noneMatches : words.feed.appearHere}</p>;
  }
  return (
    <div ref={list}>
      <LineList lines={lines} names={names} inside={inside} exact />
      {lines.length >= readerLength && <p class="none">{words.feed.noOlder(readerLength)}</p>}
    </div>
  );
}

/** Where what is scrolled goes out of sight: under the head of the page, or where the view begins. */
const upperEdge = () => Math.max(...['.top', 'main'].map((part) => document.querySelector(part)?.getBoundingClientRect()[part === 'main' ? 'top' : 'bottom'] ?? 0));

/** By what a line is found: names, ids, and what is said of it. */
function textOf({ parking }: Session, { event, name, lotId }: FeedItem & { kind: 'change' }, names: ReadonlyMap<string, string>): string {
  const zone = lotId !== undefined && event.zoneId !== undefined && parking.zonesOfLot(lotId).peek().find(({ id }) => id === event.zoneId)?.name;
  return folded([name, event.spotId, lotId, names.get(lotId ?? ''), event.zoneId, zone, words.common.happened(event)].filter(Boolean).join(' '));
}
