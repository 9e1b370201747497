import { useId } from 'preact/hooks';
import { words } from '../text/words';
import { mostHours, nights, workHours, type HoursDraft } from './draft';
import { Choice, Field } from './fields';
import { weekday } from './weekday';
import type { PartProps } from './WhereFields';
import { days, type Day } from './wire';

/** On which days and hours the rule speaks, and when it is quiet. */
export function HoursFields({ draft, faults, set, zoneOfLot }: PartProps & { zoneOfLot: string | undefined }) {
  const { alerts } = words;
  const list = useId();
  const any = draft.hours.length + draft.quietHours.length > 0;
  return (
    <fieldset>
      <legend>{alerts.hours}</legend>
      <Windows field="hours" nameOf={alerts.window} title={alerts.speaks} none={alerts.anyTime} add={alerts.addHours} first={workHours} value={draft.hours} faults={faults} onChange={(hours) => set({ hours })} />
      <Windows field="quietHours" nameOf={alerts.quietWindow} title={alerts.quiet} none={alerts.neverQuiet} add={alerts.addQuiet} first={nights} value={draft.quietHours} faults={faults} onChange={(quietHours) => set({ quietHours })} />
      {draft.quietHours.length > 0 && (
        <Choice
          legend={alerts.quietThen} value={draft.quietHoursThen} onChange={(quietHoursThen) => set({ quietHoursThen })}
          among={[['hold', alerts.quietHold], ['drop', alerts.quietDrop]]}
        />
      )}
      {any && (
        <div class="fields">
          <Field label={alerts.timeZone} fault={faults.timeZone} hint={alerts.timeZoneHint}>
            {(attributes) => (
              <>
                <input
                  {...attributes} name="timeZone" list={list} value={draft.timeZone} placeholder={draft.where === 'everywhere' ? 'UTC' : (zoneOfLot ?? alerts.zoneOfLot)} autocomplete="off"
                  spellcheck={false} onInput={(event) => set({ timeZone: event.currentTarget.value.trim() })}
                />
                <datalist id={list}>{Intl.supportedValuesOf('timeZone').map((zone) => <option key={zone} value={zone} />)}</datalist>
              </>
            )}
          </Field>
        </div>
      )}
    </fieldset>
  );
}

function Windows({ field, nameOf, title, none, add, first, value, faults, onChange }: {
  field: string; nameOf: (n: number) => string; title: string; none: string; add: string; first: HoursDraft; value: readonly HoursDraft[]; faults: PartProps['faults']; onChange: (value: readonly HoursDraft[]) => void;
}) {
  const replace = (at: number, by: readonly HoursDraft[]) => onChange([...value.slice(0, at), ...by, ...value.slice(at + 1)]);
  return (
    <fieldset class="windows" data-testid={field}>
      <legend>{title}</legend>
      {value.length === 0 && <p class="quiet">{none}</p>}
      {value.map((each, i) => (
        <Window key={i} label={nameOf(i + 1)} value={each} fault={faults[`${field}.${i}`]} onChange={(next) => replace(i, [next])} onRemove={() => replace(i, [])} />
      ))}
      {value.length < mostHours && <button type="button" onClick={() => onChange([...value, first])}>{add}</button>}
    </fieldset>
  );
}

function Window({ label, value, fault, onChange, onRemove }: {
  label: string; value: HoursDraft; fault: PartProps['faults'][string] | undefined; onChange: (value: HoursDraft) => void; onRemove: () => void;
}) {
  const { alerts } = words;
  const { days: on, from, to } = value;
  const toggle = (day: Day) => onChange({ ...value, days: on.includes(day) ? on.filter((each) => each !== day) : [...on, day] });
  return (
    <div class="window" role="group" aria-label={label}>
      <div class="days">
        {days.map((day) => (
          <label key={day} class="day" title={weekday(day, 'long')}>
            <input type="checkbox" name={day} aria-label={weekday(day, 'long')} checked={on.includes(day)} onChange={() => toggle(day)} />
            <span aria-hidden="true">{weekday(day, 'short')}</span>
          </label>
        ))}
      </div>
      <div class="span">
        <label><span>{alerts.from}</span><input type="time" name="from" value={from} onInput={(event) => onChange({ ...value, from: event.currentTarget.value })} /></label>
        <label><span>{alerts.to}</span><input type="time" name="to" value={to} onInput={(event) => onChange({ ...value, to: event.currentTarget.value })} /></label>
        <button type="button" aria-label={alerts.removeWindow(label)} onClick={onRemove}>{words.common.remove}</button>
      </div>
      <p class="quiet">
        {fault !== undefined && <strong class="fault" role="alert">{alerts.fault[fault]} </strong>}
        {to < from && to !== '00:00' && alerts.overNight}
        {from === '00:00' && to === '00:00' && alerts.wholeDay}
      </p>
    </div>
  );
}
