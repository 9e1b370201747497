import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Action } from '../live/api';
import type { Problem } from '../live/http';
import type { SpotState } from '../live/shown';
import type { LotPageProps } from '../shell/pages';
import { number } from '../text/format';
import { words } from '../text/words';
import { describe, perform, removeSpot } from './acting';
import { bulkOf } from './bulk';
import { nameOf } from './choose';
import { Confirm } from './Dialog';
import { categoryOptions, zoneOptions } from './SpotForm';
import { sayProblem } from './Trouble';

const actions: readonly Action[] = ['occupy', 'release', 'close', 'reopen', 'fault', 'repair', 'end_reservation'];

type Task = (spot: SpotState) => Promise<Problem | undefined>;

/** What is done to all spots that are picked. Each is shown at once; those that are refused are named, with the reason, and stay picked. */
export function BulkBar({ session, lot }: LotPageProps) {
  const bulk = bulkOf(session, lot.id);
  const { picked } = bulk;
  const chosen = useSignal('');
  const leaving = useSignal(false);
  const count = picked.value.size;
  const progress = bulk.progress.value;
  const { changed, refused = [], left = [] } = bulk.outcome.value ?? {};

  // What had the focus is gone when it begins, and when it ends.
  const busy = progress !== undefined;
  const wasBusy = useRef(busy);
  const stop = useRef<HTMLButtonElement>(null);
  const told = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    if (busy !== wasBusy.current && document.activeElement === document.body) (busy ? stop : told).current?.focus();
    wasBusy.current = busy;
  }, [busy]);

  const run = (task: Task) => {
    chosen.value = '';
    void bulk.run([...session.parking.spotsOfLot(lot.id)].map((cell) => cell.peek()).filter(({ spotId }) => picked.value.has(spotId)), task);
  };
  const go = () => {
    const [kind, of] = split(chosen.value);
    if (kind === 'act') run((spot) => perform(session, spot, { action: of as Action }));
    if (kind === 'zone') run(({ spotId }) => describe(session, spotId, { zoneId: of || undefined }, { zoneId: of || null }));
    if (kind === 'category') run(({ spotId }) => describe(session, spotId, { category: of }, { category: of }));
    if (kind === 'remove') leaving.value = true;
  };
  return (
    <div class="bulk" data-testid="bulk" data-picked={count}>
      {(count > 0 || progress) && (
        <div class="bulk-bar" role="group" aria-label={words.manage.picked(number(count))}>
          <b>{words.manage.picked(number(count))}</b>
          {progress ? (
            <>
              <progress max={progress.total} value={progress.done} aria-label={words.manage.saving} />
              <button key="stop" type="button" ref={stop} onClick={() => bulk.stop()}>{words.manage.stop}</button>
            </>
          ) : (
            <>
              <button key="none" type="button" onClick={() => (picked.value = new Set())}>{words.manage.pickNone}</button>
              <select aria-label={words.manage.doToPicked} value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
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
              <button key="do" type="button" data-testid="do" aria-disabled={chosen.value === ''} onClick={go}>{words.manage.doIt}</button>
            </>
          )}
        </div>
      )}
      <p role="status" tabIndex={-1} ref={told} class={refused.length > 0 ? 'fault' : 'quiet'}>
        {changed !== undefined && words.manage.bulkDone(number(changed), number(refused.length))}
        {left.length > 0 && ` ${words.manage.bulkLeft(number(left.length))}`}
      </p>
      {refused.length > 0 && (
        <ul class="refused" data-testid="refused" tabIndex={0} aria-label={words.manage.refused}>
          {refused.map(({ item, problem }) => <li key={item.spotId}><b>{nameOf(item)}</b> {sayProblem(problem)}</li>)}
        </ul>
      )}
      {leaving.value && (
        <Confirm
          title={words.manage.removeSpots} text={words.manage.removeSpotsSure(number(count))} yes={words.manage.removeForGood}
          close={() => (leaving.value = false)} go={() => run(({ spotId }) => removeSpot(session, spotId))}
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
