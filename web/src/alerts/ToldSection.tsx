import { useEffect, useRef } from 'preact/hooks';
import { kiosk } from '../shell/settings';
import { fullTime, shortTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { alertsPath, pathTo, query } from '../ui/router';
import type { Book } from './book';
import { Said } from './fields';
import { usePages } from './pages';
import { Filter } from './SentSection';
import type { Telling } from './telling';
import { useVisible } from './useVisible';
import { placeOf, type Decision } from './wire';

const size = 50;

/** What the rules have told, the newest first; what comes is there at once. */
export function ToldSection({ book, telling }: { book: Book; telling: Telling }) {
  const { alerts } = words;
  const rule = query.value.get('of') ?? undefined;
  const visible = useVisible();
  const pages = usePages<Decision>(rule ?? 'all', (cursor) => book.api.decisions({ rule, limit: size, cursor }), telling.told);
  const told = telling.told.value;
  const seenBefore = useRef<number | undefined>(undefined);
  seenBefore.current ??= telling.seen; // what is new, is new as long as one looks at it
  const looking = visible.value;
  useEffect(() => {
    if (looking && rule === undefined) telling.see();
  }, [telling, told, looking, rule]);

  const live = told.filter(({ ruleId, id }) => (rule === undefined || ruleId === rule) && !pages.items?.some((item) => item.id === id));
  const items = pages.items && [...live, ...pages.items].sort((a, b) => b.sequence - a.sequence);
  return (
    <section aria-label={alerts.told}>
      {!kiosk.value && (
        <div class="filters">
          <Filter label={alerts.rule} name="of" value={rule} among={(book.rules.value ?? []).map(({ id, name }) => [id, name] as const)} />
        </div>
      )}
      {(telling.state.value === 'waiting' || telling.state.value === 'absent') && <p class="quiet" role="status">{alerts.notLive}</p>}
      <Said problem={pages.problem} />
      {items?.length === 0 && <p class="none">{alerts.nothingTold}</p>}
      <ol class="items told">{items?.map((decision) => <Line key={decision.id} decision={decision} isNew={decision.sequence > (seenBefore.current ?? Infinity)} />)}</ol>
      {pages.older && !kiosk.value && <button type="button" onClick={pages.older}>{alerts.older}</button>}
    </section>
  );
}

function Line({ decision, isNew }: { decision: Decision; isNew: boolean }) {
  const { alerts, common } = words;
  const at = Date.parse(decision.decidedAt);
  const place = kiosk.value ? undefined : placeOf(decision); // a wall display leads nowhere
  return (
    <li class="item" data-testid="decision" data-sequence={decision.sequence} data-new={isNew || undefined}>
      <header>
        <p>{place === undefined ? alerts.toldText(decision) : <a href={pathTo(place)}>{alerts.toldText(decision)}</a>}</p>
        {isNew && <p class="state" data-tone="good">{alerts.isNew}</p>}
      </header>
      <p class="quiet">
        {kiosk.value ? decision.ruleName : <a href={alertsPath({ show: 'told', of: decision.ruleId })}>{decision.ruleName}</a>} ·{' '}
        <time dateTime={decision.decidedAt} title={fullTime(at)}>{shortTime(at, clock.value)} ({common.ago(at, clock.value)})</time>
      </p>
    </li>
  );
}
