import type { Session } from '../live/session';
import { fullTime } from '../text/format';
import { words } from '../text/words';
import { alertsPath, query } from '../ui/router';
import type { Book } from './book';
import { RemoveButton, Said, useDoing } from './fields';
import { namesOf } from './names';
import type { Channel, Rule } from './wire';

export type RuleState = 'armed' | 'spoken' | 'off' | 'done' | 'expired';

/** What a rule does now. */
export function stateOf({ enabled, state }: Rule): RuleState {
  if (state.expired) return 'expired';
  if (state.done) return 'done';
  if (!enabled) return 'off';
  return state.armed ? 'armed' : 'spoken';
}

/** A rule in words, with what became of it and what can be done to it. */
export function RuleCard({ session, book, rule }: { session: Session; book: Book; rule: Rule }) {
  const { alerts } = words;
  const state = stateOf(rule);
  const { busy, problem, run } = useDoing();
  const change = (enabled: boolean) => void run(() => book.changeRule(rule, { enabled })).then((done) => !done && void book.load());
  const { decisions, lastDecidedAt } = rule.state;
  return (
    <li class="item" data-testid="rule" data-rule-id={rule.id} data-state={state} data-current={query.value.get('at') === rule.id || undefined}>
      <header>
        <h3>{rule.name}</h3>
        <p class="state" data-tone={tones[state]}>{alerts.ruleState[state]}</p>
      </header>
      <p>{alerts.sentence(rule, namesOf(session))}</p>
      <p class="quiet">
        {alerts.sentTo(waysOf(rule, book.channels.value ?? []))}{' '}
        {decisions > 0 && lastDecidedAt !== undefined && alerts.spokeTimes(decisions, fullTime(Date.parse(lastDecidedAt)))}
      </p>
      {rule.lots && <p class="quiet">{alerts.onlyLots(rule.lots.map(namesOf(session).lot))}</p>}
      <Said problem={problem.value} />
      <div class="buttons">
        {state === 'done' ? (
          <button type="button" aria-disabled={busy.value} onClick={() => change(true)}>{alerts.again}</button>
        ) : state !== 'expired' && (
          <button type="button" role="switch" aria-checked={rule.enabled} aria-label={alerts.switchRule(rule.name)} aria-disabled={busy.value} onClick={() => change(!rule.enabled)}>
            {rule.enabled ? alerts.on : alerts.off}
          </button>
        )}
        <a class="button" href={alertsPath({ rule: rule.id })} aria-label={alerts.editNamed(rule.name)}>{words.common.edit}</a>
        {decisions > 0 && <a class="button" href={alertsPath({ show: 'told', of: rule.id })}>{alerts.whatItTold}</a>}
        <RemoveButton label={alerts.removeNamed(rule.name)} question={alerts.removeRule} busy={busy.value} onRemove={() => void run(() => book.removeRule(rule))} />
      </div>
    </li>
  );
}

/** What the state means at a glance: the sign beside its word. */
const tones: Record<RuleState, 'good' | 'busy' | 'idle'> = { armed: 'good', spoken: 'busy', off: 'idle', done: 'idle', expired: 'idle' };

const waysOf = ({ channels }: Rule, known: readonly Channel[]): string[] => channels.map((id) => known.find((channel) => channel.id === id)?.name ?? id);
