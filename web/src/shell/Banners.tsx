import type { Session } from '../live/session';
import { words } from '../text/words';
import { SignInBanner } from '../ui/SignIn';
import { outdated } from './offline';
import { kiosk } from './settings';

/** What the viewer must know of the page itself, as long as it is so. */
export const Banners = ({ session }: { session: Session }) => (
  <div class="banners">
    <SignInBanner />
    <StaleBanner session={session} />
    <NewerBanner />
  </div>
);

/** Says since when what is shown may be old, as long as it may be. */
function StaleBanner({ session }: { session: Session }) {
  const { state, stale, asOf, problem } = session.connection;
  if (!session.loaded.value) return null;
  if (stale.value) return <section class="stale" aria-label={words.shell.standing}><p>{words.shell.delay(asOf.value ?? Date.now())}</p></section>;
  if (state.value === 'open') return null;
  return (
    <section class="stale" aria-label={words.shell.standing} data-testid="stale">
      <p>
        {words.shell.staleness(state.value, asOf.value)}
        {problem.value && <> {words.common.problem(problem.value).title}.</>}
      </p>
      {!kiosk.value && <button type="button" onClick={() => session.connection.check()}>{words.common.tryNow}</button>}
    </section>
  );
}

function NewerBanner() {
  if (!outdated.value || kiosk.value) return null; // a wall display loads it by itself
  return (
    <div class="stale newer" role="status" data-testid="newer">
      <p>{words.shell.newer}</p>
      <button type="button" onClick={() => location.reload()}>{words.shell.loadNewer}</button>
      <button type="button" class="plain" aria-label={words.common.dismiss} onClick={() => (outdated.value = false)}>×</button>
    </div>
  );
}
