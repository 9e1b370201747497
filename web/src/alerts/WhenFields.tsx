import { words } from '../text/words';
import { hasMargin, isSingle } from './draft';
import { Choice, Field } from './fields';
import type { PartProps } from './WhereFields';
import { conditionTypes } from './wire';

/** What must be so for the rule to speak. */
export function WhenFields({ draft, faults, set }: PartProps) {
  const { alerts } = words;
  const { type } = draft;
  return (
    <fieldset>
      <legend>{alerts.when}</legend>
      <Choice legend={alerts.condition} value={type} onChange={(to) => set({ type: to, margin: '' })} among={conditionTypes.map((each) => [each, alerts.conditionName[each]] as const)} />
      <div class="fields">
        {type === 'free_at_least' && (
          <Amount label={alerts.count} name="count" value={draft.count} least={1} most={100_000} fault={faults.count} set={(count) => set({ count })} />
        )}
        {type === 'occupancy_above' && (
          <Amount label={alerts.percentOccupied} name="percent" value={draft.percent} least={0} most={99} step="any" fault={faults.percent} set={(percent) => set({ percent })} />
        )}
        {isSingle(type) && (
          <Amount
            label={alerts.minutes} name="minutes" value={draft.minutes} least={type === 'silent' ? 0 : 1} most={43_200} fault={faults.minutes}
            hint={type === 'silent' ? alerts.silentHint : alerts.overstayHint} set={(minutes) => set({ minutes })}
          />
        )}
        {hasMargin(type) && (
          <Amount
            label={type === 'free_at_least' ? alerts.marginSpots : alerts.marginPoints} name="margin" value={draft.margin} least={0} most={100_000} step="any" fault={faults.margin}
            hint={type === 'free_at_least' ? alerts.marginSpotsHint : alerts.marginPointsHint} set={(margin) => set({ margin })}
          />
        )}
      </div>
    </fieldset>
  );
}

/** How often it speaks, and until when. */
export function OftenFields({ draft, faults, set }: PartProps) {
  const { alerts } = words;
  return (
    <fieldset>
      <legend>{alerts.often}</legend>
      <Choice legend={alerts.oftenKind} value={draft.once ? 'once' : 'always'} onChange={(to) => set({ once: to === 'once' })} among={[['always', alerts.always], ['once', alerts.once]]} />
      <div class="fields">
        {!draft.once && (
          <Amount
            label={alerts.cooldown} name="cooldown" value={draft.cooldownMinutes} least={0} most={10_080} step="any" fault={faults.cooldownMinutes}
            hint={alerts.cooldownHint} set={(cooldownMinutes) => set({ cooldownMinutes })}
          />
        )}
        <Field label={alerts.expires} fault={faults.expiresAt} hint={alerts.expiresHint}>
          {(attributes) => <input {...attributes} name="expires" type="datetime-local" step="any" value={draft.expiresAt} onInput={(event) => set({ expiresAt: event.currentTarget.value })} />}
        </Field>
      </div>
      <Choice legend={alerts.initially} value={draft.initially} onChange={(initially) => set({ initially })} among={[['say', alerts.sayAtOnce], ['wait', alerts.waitFirst]]} />
    </fieldset>
  );
}

function Amount({ label, name, value, least, most, step = '1', fault, hint, set }: {
  label: string; name: string; value: string; least: number; most: number; step?: string; fault: PartProps['faults'][string] | undefined; hint?: string; set: (value: string) => void;
}) {
  return (
    <Field label={label} fault={fault} hint={hint}>
      {(attributes) => (
        <input {...attributes} name={name} type="number" inputMode="decimal" min={least} max={most} step={step} value={value} onInput={(event) => set(event.currentTarget.value)} />
      )}
    </Field>
  );
}
