import type { Session } from '../live/session';
import { number } from '../text/format';
import { words } from '../text/words';
import { AccountMenu } from '../ui/AccountMenu';
import { cityPath, place } from '../ui/router';
import { useAccount } from '../ui/who';

export function Header({ session }: { session: Session }) {
  return (
    <header class="top">
      <a class="brand" href={cityPath()} aria-label={words.shell.home}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M11 26V7h6.5a6 6 0 0 1 0 12H11" />
          <circle cx="23.5" cy="24.5" r="2.6" />
        </svg>
        <span>Parkwire</span>
      </a>
      {session.loaded.value && place.value.view !== 'city' && <Total session={session} />}
      {!useAccount().locked.value && <ConnectionPill session={session} />}
      <nav aria-label={words.shell.more}>
        <a href="/docs" target="_self" title={words.shell.apiTitle}>{words.shell.api}</a>
        <AccountMenu />
      </nav>
    </header>
  );
}

function Total({ session }: { session: Session }) {
  const { free, total } = session.parking.total.value;
  return (
    <p class="total">
      <b>{number(free)}</b> {words.common.ofFree(total)}
    </p>
  );
}

function ConnectionPill({ session }: { session: Session }) {
  const { state, stale } = session.connection;
  return (
    <p class="connection" data-testid="connection" data-state={stale.value ? 'stale' : state.value}>
      <i aria-hidden="true" />
      {stale.value ? words.shell.delayed : words.shell.connection[state.value]}
    </p>
  );
}

/** Says since when what is shown may be old, as long as it may be. */
export function StaleBanner({ session }: { session: Session }) {
  const { state, stale, asOf, problem } = session.connection;
  if (!session.loaded.value) return null;
  if (stale.value) return <div class="stale"><p>{words.shell.delay(asOf.value ?? Date.now())}</p></div>;
  if (state.value === 'open') return null;
  return (
    <div class="stale">
      <p>
        {words.shell.staleness(state.value, asOf.value)}
        {problem.value && <> {words.common.problem(problem.value).title}.</>}
      </p>
      <button type="button" onClick={() => session.connection.check()}>{words.common.tryNow}</button>
    </div>
  );
}
