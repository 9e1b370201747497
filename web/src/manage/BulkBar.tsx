import { useSignal, type Signal } from '@preact/signals';
import type { Action } from '../live/api';
import type { Problem } from '../live/http';
import type { SpotState } from '../live/parking';
import type { Session } from '../live/session';
import type { Lot } from '../live/wire';
import { number } from '../text/format';
import { words } from '../text/words';
import { describe, perform, removeSpot } from './acting';
import { forEach, type Refused } from './bulk';
import { nameOf } from './choose';
import { Confirm } from './Dialog';
import { categoryOptions, zoneOptions } from './SpotForm';
import { sayProblem } from './Trouble';

const actions: readonly Action[] = ['occupy', 'release', 'close', 'reopen', 'fault', 'repair', 'end_reservation'];

type Task = (spot: SpotState) => Promise<Problem | undefined>;

interface BulkBarProps {
  readonly session: Session;
  readonly lot: Lot;
  readonly picked: Signal<ReadonlySet<string>>;
}

/** What is done to all spots that are picked. Each is shown at once; those that are refused are named, with the reason, and stay picked. */
export function BulkBar({ session, lot, picked }: BulkBarProps) {
  const progress = useSignal<{ readonly done: number; readonly total: number } | undefined>(undefined);
  const refused = useSignal<readonly Refused<SpotState>[]>([]);
  const told = useSignal('');
  const leaving = useSignal(false);
  const count = picked.value.size;

  const run = async (task: Task) => {
    if (progress.value) return;
    const spots = [...session.parking.spotsOfLot(lot.id)].map((cell) => cell.peek()).filter(({ spotId }) => picked.value.has(spotId));
    progress.value = { done: 0, total: spots.length };
    refused.value = await forEach(spots, task, (done) => (progress.value = { done, total: spots.length }));
    progress.value = undefined;
    picked.value = new Set(refused.value.map(({ item }) => item.spotId));
    told.value = words.manage.bulkDone(number(spots.length - refused.value.length), number(refused.value.length));
  };
  const choose = (value: string) => {
    const [kind, of = ''] = split(value);
    if (kind === 'act') void run((spot) => perform(session, spot, { action: of as Action }));
    if (kind === 'zone') void run(({ spotId }) => describe(session, spotId, { zoneId: of || undefined }, { zoneId: of || null }));
    if (kind === 'category') void run(({ spotId }) => describe(session, spotId, { category: of }, { category: of }));
    if (kind === 'remove') leaving.value = true;
  };
  return (
    <div class="bulk" data-testid="bulk" data-picked={count}>
      {count > 0 && (
        <div class="bulk-bar" role="group" aria-label={words.manage.picked(number(count))}>
          <b>{words.manage.picked(number(count))}</b>
          {progress.value ? (
            <progress max={progress.value.total} value={progress.value.done} aria-label={words.manage.saving} />
          ) : (
            <>
              <select aria-label={words.manage.doToPicked} value="" onChange={(event) => { choose(event.currentTarget.value); event.currentTarget.value = ''; }}>
                <option value="">{words.manage.doToPicked}</option>
                <optgroup label={words.manage.spotFields.status}>
                  {actions.map((action) => <option key={action} value={`act ${action}`}>{words.common.action[action]}</option>)}
                </optgroup>
                <optgroup label={words.manage.spotFields.zoneId}>
                  {zoneOptions(session.parking.zonesOfLot(lot.id).value).map(([id, name]) => <option key={id} value={`zone ${id}`}>{name}</option>)}
                </optgroup>
                <optgroup label={words.manage.spotFields.category}>
                  {categoryOptions().map(([each, text]) => <option key={each} value={`category ${each}`}>{text}</option>)}
                </optgroup>
                <option value="remove">{words.manage.removeSpots}</option>
              </select>
              <button type="button" onClick={() => (picked.value = new Set())}>{words.manage.pickNone}</button>
            </>
          )}
        </div>
      )}
      <p role="status" class={refused.value.length > 0 ? 'fault' : 'quiet'}>{told.value}</p>
      {refused.value.length > 0 && (
        <ul class="refused" data-testid="refused" tabIndex={0} aria-label={words.manage.refused}>
          {refused.value.map(({ item, problem }) => <li key={item.spotId}><b>{nameOf(item)}</b> {sayProblem(problem)}</li>)}
        </ul>
      )}
      {leaving.value && (
        <Confirm
          title={words.manage.removeSpots} text={words.manage.removeSpotsSure(number(count))} yes={words.manage.removeForGood}
          close={() => (leaving.value = false)} go={() => void run(({ spotId }) => removeSpot(session, spotId))}
        />
      )}
    </div>
  );
}

/** An id may have spaces in it: only the first word is the kind. */
function split(value: string): [kind: string, of: string] {
  const space = value.indexOf(' ');
  return space < 0 ? [value, ''] : [value.slice(0, space), value.slice(space + 1)];
}
