import type { Session } from '../live/session';
import { clockTime, minuteTime, number } from '../text/format';
import { words } from '../text/words';
import { AccountMenu } from '../ui/AccountMenu';
import { clock } from '../ui/clock';
import { cityPath, place } from '../ui/router';
import { useAccount } from '../ui/who';
import { kiosk } from './settings';
import { SettingsMenu } from './SettingsMenu';

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
      {kiosk.value ? (
        <Clock />
      ) : (
        <nav aria-label={words.shell.more}>
          <AccountMenu />
          <SettingsMenu />
        </nav>
      )}
    </header>
  );
}

const Clock = () => <time class="wall-clock">{minuteTime(clock.value)}</time>;

function Total({ session }: { session: Session }) {
  const { free, total } = session.parking.total.value;
  return (
    <p class="total">
      <b>{number(free)}</b> {words.common.ofFree(total)}
    </p>
  );
}

/** What the connection does; while it is well, that what is shown is of now. */
function ConnectionPill({ session }: { session: Session }) {
  const { state, stale, asOf } = session.connection;
  const live = state.value === 'open' && !stale.value;
  const old = !live && session.loaded.value && asOf.value !== undefined;
  return (
    <p class="connection" data-testid="connection" data-state={stale.value ? 'stale' : state.value}>
      <i aria-hidden="true" />
      {stale.value ? words.shell.delayed : words.shell.connection[state.value]}
      {(live || old) && <time class="as-of">{clockTime(live ? Math.max(clock.value, asOf.value ?? 0) : asOf.value!)}</time>}
    </p>
  );
}
