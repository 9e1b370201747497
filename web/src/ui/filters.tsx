// What narrows a long list: a text, one of many, several of few.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { number } from '../text/format';
import { toggled } from './parameters';
import './filters.css';

const pause = 200; // milliseconds after a key: browsers take only so many changes of the address

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly change: (text: string) => void;
}

/** Looks for a text while it is typed. */
export function Search({ label, value, change }: SearchProps) {
  const text = useSignal(value);
  const sent = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const send = () => {
    clearTimeout(timer.current);
    sent.current = text.peek();
    change(sent.current);
  };
  const typed = (now: string) => {
    text.value = now;
    clearTimeout(timer.current);
    timer.current = setTimeout(send, pause);
  };
  useEffect(() => {
    if (value === sent.current) return;
    clearTimeout(timer.current); // the address was changed otherwise
    text.value = sent.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="search"
      class="find-box"
      aria-label={label}
      placeholder={label}
      value={text.value}
      autocomplete="off"
      spellcheck={false}
      enterkeyhint="search"
      onInput={(event) => typed(event.currentTarget.value)}
      onChange={send}
    />
  );
}

interface PickProps {
  readonly label: string;
  /** What stands for no choice. */
  readonly all: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly value: string | undefined;
  readonly change: (value: string | undefined) => void;
}

/** One of many, or all. What is chosen and is not among them is shown as it is. */
export const Pick = ({ label, all, options, value, change }: PickProps) => (
  <select class="pick-one" aria-label={label} value={value ?? ''} data-set={value === undefined ? undefined : true} onChange={(event) => change(event.currentTarget.value || undefined)}>
    <option value="">{all}</option>
    {options.map(([each, text]) => <option key={each} value={each}>{text}</option>)}
    {value !== undefined && !options.some(([each]) => each === value) && <option value={value}>{value}</option>}
  </select>
);

export interface Choice<T extends string> {
  readonly value: T;
  readonly text: string;
  readonly sign?: ComponentChildren;
  readonly count?: number;
}

interface ChipsProps<T extends string> {
  readonly label: string;
  readonly choices: readonly Choice<T>[];
  readonly chosen: readonly T[];
  readonly change: (chosen: readonly T[]) => void;
}

/** Several of few, with how many there are of each; none chosen is all. */
export const Chips = <T extends string>({ label, choices, chosen, change }: ChipsProps<T>) => (
  <div class="chip-row" role="group" aria-label={label}>
    {choices.map(({ value, text, sign, count }) => (
      <button key={value} type="button" aria-pressed={chosen.includes(value)} data-value={value} data-count={count} onClick={() => change(toggled(chosen, value))}>
        {sign}
        <span>{text}</span>
        {count !== undefined && <b>{number(count)}</b>}
      </button>
    ))}
  </div>
);
