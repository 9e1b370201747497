import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Session } from '../live/session';
import { kiosk } from '../shell/settings';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { alertsPath, pathTo } from '../ui/router';
import { useAccount } from '../ui/who';
import { AlertsApi } from './api';
import { showLooking } from './notify';
import { keepSubscribed } from './push';
import { tellingOf } from './telling';
import './toasts.css';
import { placeOf, type Decision } from './wire';

const room = matchMedia('(min-width: 780px)');
const most = signal(inSight()); // of them at a time; on a phone more would cover what one does
room.addEventListener('change', () => (most.value = inSight()));

function inSight(): number {
  return room.matches ? 3 : 1;
}

const onWall = 60_000; // where no hand dismisses them, in milliseconds

/** Alerts as they come, in whatever view one is. They stay until they are dismissed. */
export default function Toasts({ session }: { session: Session }) {
  const account = useAccount();
  const telling = tellingOf(session);
  const person = account.person.value;
  const who = person && JSON.stringify([person.subject, person.lots]);
  useEffect(() => {
    if (!person) return;
    void keepSubscribed(new AlertsApi(session.api), person.subject, words.alerts.browserName()).catch(() => undefined); // next time
    return telling.begin(person, account);
  }, [telling, who]);
  useEffect(showLooking, []);
  useEffect(() => whenBack(session, () => void telling.wake()), [session, telling]);
  useEffect(() => {
    const wake = () => document.visibilityState === 'visible' && void telling.wake();
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', wake);
    return () => {
      removeEventListener('online', wake);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [telling]);

  const { alerts } = words;
  const standing = telling.standing.value.filter(({ decidedAt }) => !kiosk.value || clock.value - Date.parse(decidedAt) < onWall);
  const rest = standing.length - most.value;
  return (
    <section class="toasts" aria-label={alerts.inPage} data-testid="toasts" data-state={telling.state.value}>
      <ol aria-live="polite" aria-relevant="additions">
        {standing.slice(0, most.value).map((decision) => <Toast key={decision.id} decision={decision} dismiss={() => telling.dismiss(decision)} />)}
      </ol>
      {standing.length > 1 && !kiosk.value && (
        <p class="more">
          {rest > 0 && <a href={alertsPath({ show: 'told' })}>{alerts.moreToasts(rest)}</a>}
          <button type="button" onClick={() => telling.dismiss()}>{alerts.dismissAll}</button>
        </p>
      )}
    </section>
  );
}

/** Calls back when the platform answers again: the stream of alerts, which has its own pauses, would come later. Returns what ends that. */
function whenBack({ connection }: Session, back: () => void): () => void {
  let away = false;
  return effect(() => {
    const state = connection.state.value;
    if (state === 'open' && away) back();
    away = state === 'reconnecting' || state === 'offline';
  });
}

function Toast({ decision, dismiss }: { decision: Decision; dismiss: () => void }) {
  const { alerts, common } = words;
  const at = Date.parse(decision.decidedAt);
  const place = placeOf(decision);
  return (
    <li data-testid="toast" data-sequence={decision.sequence}>
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a6 6 0 0 0-6 6v4l-2 4h16l-2-4V9a6 6 0 0 0-6-6Zm-2.5 16a2.5 2.5 0 0 0 5 0" /></svg>
      <p>
        <b>{alerts.toldText(decision)}</b>
        <span>{decision.ruleName} · <time dateTime={decision.decidedAt}>{common.ago(at, clock.value)}</time></span>
      </p>
      {!kiosk.value && (
        <>
          <a href={place === undefined ? alertsPath({ show: 'told' }) : pathTo(place)} onClick={dismiss}>{alerts.show}</a>
          <button type="button" class="plain" aria-label={common.dismiss} onClick={dismiss}>×</button>
        </>
      )}
    </li>
  );
}
