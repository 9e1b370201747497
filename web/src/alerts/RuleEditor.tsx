import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { alertsPath, go, query } from '../ui/router';
import type { Book } from './book';
import { definitionOf, draftFor, draftOf, faultsOf, patchOf, ruleLike, type Draft, type Faults } from './draft';
import { Field, Said } from './fields';
import { HoursFields } from './HoursFields';
import { namesOf } from './names';
import { WaysFields } from './WaysFields';
import { OftenFields, WhenFields } from './WhenFields';
import { WhereFields } from './WhereFields';
import type { Rule } from './wire';

/** Writes a rule: a new one, as the address begins it, or one that is there. */
export function RuleEditor({ session, book, rule, subject }: { session: Session; book: Book; rule: Rule | undefined; subject: string }) {
  const { alerts } = words;
  const begun = useRef<{ readonly rule: Rule | undefined; readonly draft: Draft } | undefined>(undefined);
  begun.current ??= { rule, draft: rule ? draftOf(rule) : draftFor(query.peek()) };
  const draft = useSignal(begun.current.draft);
  const tried = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);

  const set = (change: Partial<Draft>) => void (draft.value = { ...draft.value, ...change });
  const names = namesOf(session);
  const like = ruleLike(draft.value);
  const named = (): Draft => ({ ...draft.value, name: draft.value.name.trim() || alerts.nameOf(like, names).slice(0, 200) });
  const found = faultsOf(named(), Date.now());
  const sound = Object.keys(found).length === 0;
  const faults: Faults = tried.value ? found : {};
  const lot = session.parking.lots.value.find(({ id }) => id === draft.value.lotId);

  /** What was changed here is changed in the rule as it is now, where it was changed elsewhere meanwhile. */
  const send = async (anyway: boolean) => {
    const { rule: before, draft: start } = begun.current!;
    const whole = named();
    if (!before) return book.addRule(definitionOf(whole));
    if (anyway) await book.load();
    const now = anyway ? book.rules.peek()?.find(({ id }) => id === before.id) : before;
    return book.changeRule(now ?? before, patchOf(start, whole));
  };
  const save = async (anyway = false) => {
    tried.value = true;
    if (busy.peek()) return;
    if (!sound) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"], .window:has(.fault) input')?.focus());
      return;
    }
    busy.value = true;
    problem.value = undefined;
    try {
      const saved = await send(anyway);
      go(alertsPath({ at: saved.id }));
    } catch (error) {
      problem.value = problemOf(error);
    } finally {
      busy.value = false;
    }
  };

  const part = { draft: draft.value, faults, set };
  const overtaken = problem.value?.status === 412;
  return (
    <form class="editor" ref={form} noValidate data-testid="editor" onSubmit={(event) => (event.preventDefault(), void save())}>
      <h2>{rule ? alerts.editRule : alerts.newRule}</h2>
      <WhereFields {...part} session={session} />
      <WhenFields {...part} />
      <HoursFields {...part} zoneOfLot={draft.value.where === 'lot' ? lot?.timeZone : undefined} />
      <OftenFields {...part} />
      <WaysFields {...part} book={book} subject={subject} />
      <div class="fields">
        <Field label={alerts.name} fault={faults.name} hint={alerts.nameHint}>
          {(attributes) => (
            <input {...attributes} name="name" maxLength={200} value={draft.value.name} placeholder={alerts.nameOf(like, names)} onInput={(event) => set({ name: event.currentTarget.value })} />
          )}
        </Field>
      </div>
      {sound && <p class="sentence" data-testid="sentence">{alerts.sentence(like, names)}</p>}
      {rule && <p class="quiet">{alerts.beginsAnew}</p>}
      {Object.keys(faults).length > 0 && <p class="fault" role="alert">{alerts.faults}</p>}
      <Said problem={problem.value} />
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled={busy.value}>{words.common.save}</button>
        {overtaken && <button type="button" onClick={() => void save(true)}>{alerts.saveAnyway}</button>}
        <a class="button" href={alertsPath(rule && { at: rule.id })}>{words.common.cancel}</a>
      </div>
    </form>
  );
}
