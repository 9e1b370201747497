import { useEffect, useRef } from 'preact/hooks';
import { number, shortTime } from '../text/format';
import { words } from '../text/words';
import { clock } from '../ui/clock';
import { query, setQuery } from '../ui/router';
import type { Book } from './book';
import { Said } from './fields';
import { usePages } from './pages';
import type { Telling } from './telling';
import { useVisible } from './useVisible';
import { deliveryStates, isOver, type Delivery, type DeliveryState } from './wire';

const size = 50;
const pace = 2_000; // while something is under way, in milliseconds

/** What was sent to the channels, and what became of it. */
export function SentSection({ book, telling }: { book: Book; telling: Telling }) {
  const { alerts } = words;
  const filter = { channel: query.value.get('channel') ?? undefined, rule: query.value.get('of') ?? undefined, state: query.value.get('state') ?? undefined };
  const visible = useVisible();
  const pages = usePages<Delivery>(JSON.stringify(filter), (cursor) => book.api.deliveries({ ...filter, limit: size, cursor }), telling.told);
  const moving = pages.items?.some((delivery) => !isOver(delivery)) ?? false;
  const follow = moving && visible.value;
  const { refresh } = pages;
  const latest = useRef(refresh);
  latest.current = refresh;
  useEffect(() => {
    if (!follow) return;
    const timer = setInterval(() => latest.current(), pace);
    return () => clearInterval(timer);
  }, [follow]);
  return (
    <section aria-label={alerts.sent}>
      <div class="filters">
        <Filter label={alerts.state} name="state" value={filter.state} among={deliveryStates.map((state) => [state, alerts.deliveryState[state]] as const)} />
        <Filter label={alerts.channel} name="channel" value={filter.channel} among={(book.channels.value ?? []).map(({ id, name }) => [id, name] as const)} />
        <Filter label={alerts.rule} name="of" value={filter.rule} among={(book.rules.value ?? []).map(({ id, name }) => [id, name] as const)} />
      </div>
      <Said problem={pages.problem} />
      {pages.items?.length === 0 && <p class="none">{alerts.nothingSent}</p>}
      <ol class="items sent">
        {pages.items?.map((delivery) => <Line key={delivery.id} book={book} delivery={delivery} />)}
      </ol>
      {pages.older && <button type="button" onClick={pages.older}>{alerts.older}</button>}
    </section>
  );
}

const tones: Record<DeliveryState, 'good' | 'busy' | 'bad'> = { waiting: 'busy', sending: 'busy', delivered: 'good', dead: 'bad' };

function Line({ book, delivery }: { book: Book; delivery: Delivery }) {
  const { alerts } = words;
  const { state, text, kind, channelId, createdAt, type } = delivery;
  const channel = book.channels.value?.find(({ id }) => id === channelId)?.name;
  const time = (at: string) => shortTime(Date.parse(at), clock.value);
  return (
    <li class="item" data-testid="delivery" data-state={state}>
      <header>
        <p>{type === 'channel.test' ? alerts.testMessage : text}</p>
        <p class="state" data-tone={tones[state]}>{alerts.deliveryState[state]}</p>
      </header>
      <p class="quiet">
        <time dateTime={createdAt}>{time(createdAt)}</time> · {alerts.kind[kind]}{channel !== undefined && ` · ${channel}`} · {alerts.attempts(number(delivery.attempts), delivery.attempts)}
        {delivery.interrupted !== undefined && ` · ${alerts.interrupted(delivery.interrupted)}`}
        {state === 'waiting' && delivery.nextAt !== undefined && ` · ${alerts.nextAt(time(delivery.nextAt))}`}
      </p>
      {delivery.error !== undefined && state !== 'delivered' && <p class="quiet">{alerts.lastError(delivery.error)}</p>}
    </li>
  );
}

/** Narrows the list; the address says so. */
export function Filter({ label, name, value, among }: { label: string; name: string; value: string | undefined; among: readonly (readonly [string, string])[] }) {
  return (
    <label>
      <span>{label}</span>
      <select name={name} value={value ?? ''} onChange={(event) => setQuery({ [name]: event.currentTarget.value || undefined })}>
        <option value="">{words.alerts.all}</option>
        {among.map(([each, text]) => <option key={each} value={each}>{text}</option>)}
        {value !== undefined && !among.some(([each]) => each === value) && <option value={value}>{value}</option>}
      </select>
    </label>
  );
}
