import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import './fields.css';

interface FieldProps {
  readonly label: string;
  /** What is wrong with what was given. */
  readonly fault?: string | undefined;
  readonly hint?: string | undefined;
  readonly children: (given: { readonly id: string; readonly 'aria-describedby': string | undefined; readonly 'aria-invalid': boolean | undefined }) => ComponentChildren;
}

/** A labelled field. Its hint, and what is wrong with it, are read with it. */
export function Field({ label, fault, hint, children }: FieldProps) {
  const id = useId();
  const said = [fault && `${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(' ');
  return (
    <div class="field" data-wrong={fault ? true : undefined}>
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': said || undefined, 'aria-invalid': fault ? true : undefined })}
      {fault && <p class="fault" id={`${id}-fault`}>{fault}</p>}
      {hint && <p class="quiet" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

interface TextFieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly set: (value: string) => void;
  readonly fault?: string | undefined;
  readonly hint?: string | undefined;
  readonly type?: 'text' | 'datetime-local';
  /** The id of a list of suggestions. */
  readonly list?: string;
  readonly inputMode?: 'text' | 'numeric' | 'decimal';
  readonly maxLength?: number;
  readonly min?: string;
  readonly required?: boolean;
  readonly readOnly?: boolean;
}

export const TextField = ({ name, label, value, set, fault, hint, type = 'text', list, ...rest }: TextFieldProps) => (
  <Field label={label} fault={fault} hint={hint}>
    {(given) => {
      const shared = { ...given, ...rest, name, value, onInput: (event: { currentTarget: HTMLInputElement }) => set(event.currentTarget.value) };
      if (type === 'datetime-local') return <input type="datetime-local" {...shared} />;
      if (list !== undefined) return <input type="text" list={list} autocomplete="off" {...shared} />;
      return <input type="text" autocomplete="off" spellcheck={false} {...shared} />;
    }}
  </Field>
);

interface SelectFieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly set: (value: string) => void;
  /** Values with what they are called. */
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly fault?: string | undefined;
  readonly hint?: string | undefined;
}

export const SelectField = ({ name, label, value, set, options, fault, hint }: SelectFieldProps) => (
  <Field label={label} fault={fault} hint={hint}>
    {(given) => (
      <select {...given} name={name} value={value} onChange={(event) => set(event.currentTarget.value)}>
        {options.map(([each, text]) => <option key={each} value={each}>{text}</option>)}
      </select>
    )}
  </Field>
);
