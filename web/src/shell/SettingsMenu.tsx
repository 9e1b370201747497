import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { languages, language } from '../text/language';
import { words } from '../text/words';
import { Menu } from '../ui/Menu';
import { setQuery } from '../ui/router';
import { install } from './offline';
import { chosen } from './settings';

/** How the page looks, and what else it can be. */
export function SettingsMenu() {
  const { shell } = words;
  return (
    <Menu class="settings" what={shell.settings} testId="settings" label={<Gear />}>
      <Choice name="theme" label={shell.theme} of={chosen.theme} values={[[undefined, shell.asDevice], ['light', shell.light], ['dark', shell.dark]]} />
      <Choice name="motion" label={shell.motion} of={chosen.motion} values={[[undefined, shell.asDevice], ['on', shell.motionOn], ['off', shell.motionOff]]} />
      <LanguageChoice />
      <button type="button" onClick={() => setQuery({ kiosk: 'on' })}>{shell.wallDisplay}</button>
      <p class="quiet">{shell.wallDisplayHint}</p>
      {install.value && <button type="button" onClick={install.value}>{shell.install}</button>}
      <p><a href="/docs" target="_self">{shell.apiTitle}</a></p>
    </Menu>
  );
}

interface ChoiceProps<T extends string> {
  readonly name: string;
  readonly label: string;
  readonly of: Signal<T | undefined>;
  readonly values: readonly (readonly [T | undefined, string])[];
}

/** The address may say otherwise; who chooses wants what was chosen. */
function Choice<T extends string>({ name, label, of, values }: ChoiceProps<T>) {
  const id = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {values.map(([value, text]) => (
        <label key={text}>
          <input type="radio" name={id} value={value ?? 'device'} checked={of.value === value} onChange={() => choose(name, () => (of.value = value))} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

function LanguageChoice() {
  const id = useId();
  return (
    <p class="choice">
      <label for={id}>{words.shell.language}</label>
      <select id={id} value={language.value.code} onChange={({ currentTarget: { value } }) => choose('lang', () => (chosen.language.value = value))}>
        {languages.map(({ code, name }) => <option key={code} value={code} lang={code}>{name}</option>)}
      </select>
    </p>
  );
}

function choose(parameter: string, set: () => void): void {
  set();
  setQuery({ [parameter]: undefined });
}

const Gear = () => (
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="M4 7h8m6 0h2M4 12h2m6 0h8M4 17h9m6 0h1" />
    <circle cx="15" cy="7" r="2.2" /><circle cx="9" cy="12" r="2.2" /><circle cx="16" cy="17" r="2.2" />
  </svg>
);
