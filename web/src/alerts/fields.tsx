// What the forms of this page are made of.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import { words } from '../text/words';
import type { Fault } from './draft';

export interface FieldAttributes {
  readonly id: string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string | undefined;
}

/** A field with its label, what it means, and what is wrong with it. */
export function Field({ label, fault, hint, children }: {
  label: string; fault?: Fault | undefined; hint?: string | undefined; children: (attributes: FieldAttributes) => ComponentChildren;
}) {
  const id = useId();
  const said = fault !== undefined || hint !== undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-invalid': fault !== undefined, 'aria-describedby': said ? `${id}-said` : undefined })}
      {said && (
        <p id={`${id}-said`} class="quiet">
          {fault !== undefined && <strong class="fault">{words.alerts.fault[fault]} </strong>}
          {hint}
        </p>
      )}
    </div>
  );
}

/** One of a few choices. */
export function Choice<T extends string>({ legend, value, among, onChange }: {
  legend: string; value: T; among: readonly (readonly [T, string])[]; onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset class="one-of">
      <legend>{legend}</legend>
      {among.map(([each, text]) => (
        <label key={each} class="option">
          <input type="radio" name={name} value={each} checked={each === value} onChange={() => onChange(each)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** What went wrong, as the platform says it. */
export function Said({ problem }: { problem: Problem | undefined }) {
  if (!problem) return null;
  const { title, detail } = words.common.problem(problem);
  return <p class="fault" role="alert">{detail ?? title}</p>;
}

/** Something that is done by a button, once at a time, with what went wrong. */
export function useDoing() {
  const busy = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  /** Returns whether it succeeded. */
  const run = async (task: () => Promise<unknown>): Promise<boolean> => {
    if (busy.peek()) return false;
    busy.value = true;
    problem.value = undefined;
    try {
      await task();
      return true;
    } catch (error) {
      problem.value = problemOf(error);
      return false;
    } finally {
      busy.value = false;
    }
  };
  return { busy, problem, run };
}

/** A button that asks once more before something is gone. */
export function RemoveButton({ label, question, busy, onRemove }: { label: string; question: string; busy: boolean; onRemove: () => void }) {
  const asked = useSignal(false);
  if (!asked.value) return <button type="button" aria-label={label} onClick={() => (asked.value = true)}>{words.common.remove}</button>;
  return (
    <span class="question" role="group" aria-label={question}>
      <span>{question}</span>
      <button type="button" class="danger" aria-disabled={busy} onClick={onRemove}>{words.alerts.yesRemove}</button>
      <button type="button" ref={focused} onClick={() => (asked.value = false)}>{words.common.cancel}</button>
    </span>
  );
}

/** Where the keyboard goes on. A constant, so that it does so once. */
const focused = (element: HTMLElement | null): void => element?.focus();
