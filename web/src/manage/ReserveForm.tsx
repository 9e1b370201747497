import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { minuteTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { SelectField, TextField } from './Field';
import { localMinute } from './moments';
import type { Act, Reservation } from './wire';

const minute = 60_000;
const spans = [30, 60, 120, 240, 480] as const; // minutes
const other = 'other';

interface ReserveFormProps {
  readonly current: Reservation | undefined;
  readonly reserve: (act: Act) => void;
  readonly cancel: () => void;
}

/** For whom or what a spot is held, and until when. A reservation that is there keeps its reference: under another one it is refused. */
export function ReserveForm({ current, reserve, cancel }: ReserveFormProps) {
  const reference = useSignal(current?.reference ?? '');
  const span = useSignal('60');
  const until = useSignal(localMinute(Date.now() + 60 * minute));
  const fault = useSignal('');
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    form.current?.scrollIntoView({ block: 'nearest' });
    form.current?.querySelector('input')?.focus({ preventScroll: true });
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    const at = span.value === other ? Date.parse(until.value) : span.value === '' ? undefined : Date.now() + Number(span.value) * minute;
    if (at !== undefined && !(at > Date.now())) return void (fault.value = words.manage.faults.future);
    reserve({
      action: 'reserve',
      ...(reference.value.trim() !== '' && { reference: reference.value.trim() }),
      ...(at !== undefined && { until: new Date(at).toISOString() }),
    });
  };
  return (
    <form class="reserve" ref={form} onSubmit={submit} data-testid="reserve">
      <TextField
        name="reference" label={words.manage.reference} hint={current ? undefined : words.manage.referenceHint}
        value={reference.value} set={(value) => (reference.value = value)} maxLength={200} readOnly={current !== undefined}
      />
      <SelectField
        name="span" label={words.manage.until} hint={span.value === '' || span.value === other ? undefined : words.manage.deviceClock} value={span.value} set={(value) => (span.value = value)}
        options={[
          ...spans.map((each) => [String(each), words.manage.span(each, minuteTime(clock.value + each * minute))] as const),
          [other, words.manage.untilOther], ['', words.manage.untilEnded],
        ]}
      />
      {span.value === other && (
        <TextField
          name="until" label={words.manage.untilWhen} hint={words.manage.deviceClock} value={until.value} set={(value) => (until.value = value)} fault={fault.value || undefined}
          type="datetime-local" required min={localMinute(Date.now())}
        />
      )}
      <footer>
        <button type="button" onClick={cancel}>{words.common.cancel}</button>
        <button type="submit" class="primary">{current ? words.manage.changeReservation : words.manage.act('reserve')}</button>
      </footer>
    </form>
  );
}
