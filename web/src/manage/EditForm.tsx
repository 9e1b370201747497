import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../text/words';
import type { Editor } from './editor';
import type { Values } from './forms';
import { Trouble } from './Trouble';

interface EditFormProps<T, V extends Values> {
  readonly editor: Editor<T, V>;
  /** What its fields are called. */
  readonly labels: Readonly<Record<keyof V, string>>;
  readonly submit: string;
  readonly saved: () => void;
  readonly cancel?: (() => void) | undefined;
  readonly children: ComponentChildren;
}

/** A form with what is wrong in it, and with what somebody else has changed while it was open. */
export function EditForm<T, V extends Values>({ editor, labels, submit, saved, cancel, children }: EditFormProps<T, V>) {
  const send = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const form = event.currentTarget;
    void editor.save().then((done) => {
      if (done) saved();
      else requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
    });
  };
  // In front of the page the keyboard goes to the first field, also where that had to be waited for.
  const element = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    const waiting = document.activeElement?.closest('dialog > header');
    if (waiting) element.current?.querySelector<HTMLElement>('input, select')?.focus();
  }, []);
  const { clashes, problem, saving } = editor;
  return (
    <form class="edit" ref={element} onSubmit={send} noValidate>
      {clashes.length > 0 && (
        <div class="trouble" role="alert" data-testid="clash">
          <div>
            <p>{words.manage.clash}</p>
            <ul>
              {clashes.map(({ field, theirs }) => <li key={field}>{words.manage.clashField(labels[field], theirs, editor.values[field]!)}</li>)}
            </ul>
            <p>{words.manage.clashChoice}</p>
          </div>
          <button type="button" onClick={() => editor.takeTheirs()}>{words.manage.takeTheirs}</button>
        </div>
      )}
      <div class="fields">{children}</div>
      <Trouble problem={problem} />
      <footer>
        {cancel && <button type="button" onClick={cancel}>{words.common.cancel}</button>}
        <button type="submit" class="primary" aria-disabled={saving}>{saving ? words.manage.saving : clashes.length > 0 ? words.manage.saveMine : submit}</button>
      </footer>
    </form>
  );
}

/** What a field of an editor is given. */
export function bound<T, V extends Values, F extends keyof V & string>(editor: Editor<T, V>, labels: Readonly<Record<keyof V, string>>, field: F) {
  const fault = editor.fault(field);
  return {
    name: field, label: labels[field], value: editor.values[field]!, set: (value: string) => editor.set(field, value),
    fault: fault === undefined ? editor.refusal(field) : words.manage.faults[fault],
  };
}
