import type { Session } from '../live/session';
import { connectionName, delay, number, staleName, staleness } from '../text/english';
import { AccountMenu } from './AccountMenu';
import { cityPath, place } from './router';
import { useAccount } from './who';

export function Header({ session }: { session: Session }) {
  return (
    <header class="top">
      <a class="brand" href={cityPath()} aria-label="Parkwire, all lots">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M11 26V7h6.5a6 6 0 0 1 0 12H11" />
          <circle cx="23.5" cy="24.5" r="2.6" />
        </svg>
        <span>Parkwire</span>
      </a>
      {session.loaded.value && place.value.view !== 'city' && <Total session={session} />}
      {!useAccount().locked.value && <ConnectionPill session={session} />}
      <nav aria-label="More">
        <a href="/docs" target="_self" title="The interfaces for programs">API</a>
        <AccountMenu />
      </nav>
    </header>
  );
}

function Total({ session }: { session: Session }) {
  const { free, total } = session.parking.total.value;
  return (
    <p class="total">
      <b>{number(free)}</b> of {number(total)} free
    </p>
  );
}

function ConnectionPill({ session }: { session: Session }) {
  const { state, stale } = session.connection;
  return (
    <p class="connection" data-testid="connection" data-state={stale.value ? 'stale' : state.value}>
      <i aria-hidden="true" />
      {stale.value ? staleName : connectionName[state.value]}
    </p>
  );
}

/** Says since when what is shown may be old, as long as it may be. */
export function StaleBanner({ session }: { session: Session }) {
  const { state, stale, asOf, problem } = session.connection;
  if (!session.loaded.value) return null;
  if (stale.value) return <div class="stale"><p>{delay(asOf.value)}</p></div>;
  if (state.value === 'open') return null;
  return (
    <div class="stale">
      <p>
        {staleness(state.value, asOf.value)}
        {problem.value && <> {problem.value.title}.</>}
      </p>
      <button type="button" onClick={() => session.connection.check()}>Try now</button>
    </div>
  );
}
