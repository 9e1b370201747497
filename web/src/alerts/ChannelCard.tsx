import { useSignal } from '@preact/signals';
import { fullTime } from '../text/format';
import { words } from '../text/words';
import { alertsPath } from '../ui/router';
import type { Book } from './book';
import { Field, RemoveButton, Said, useDoing } from './fields';
import { Secret } from './Secret';
import { isOver, type Channel, type ChannelState, type Delivery } from './wire';

const tones: Record<ChannelState, 'good' | 'busy' | 'idle' | 'bad'> = { active: 'good', unconfirmed: 'busy', paused: 'idle', disabled: 'bad', ended: 'bad' };

/** A place to which alerts are sent, how it fares, and what can be done to it. */
export function ChannelCard({ book, channel }: { book: Book; channel: Channel }) {
  const { alerts } = words;
  const { id, kind, name, state } = channel;
  const { busy, problem, run } = useDoing();
  const editing = useSignal(false);
  const secret = useSignal<string | undefined>(undefined);
  const tested = useSignal<Delivery | undefined>(undefined);
  const button = { type: 'button', 'aria-disabled': busy.value } as const;

  const test = () => run(async () => {
    const deliveryId = await book.api.testChannel(id);
    tested.value = await outcomeOf(book, id, deliveryId, (delivery) => (tested.value = delivery));
    void book.load();
  });
  return (
    <li class="item" data-testid="channel" data-channel-id={id} data-kind={kind} data-state={state}>
      <header>
        <h3>{name}</h3>
        <p class="state" data-tone={tones[state]}>{alerts.channelState[state]}</p>
      </header>
      <p class="address">{alerts.kind[kind]}{addressOf(channel) && <> · <span>{addressOf(channel)}</span></>}</p>
      <p class="quiet">{alerts.fares(channel, (time) => fullTime(Date.parse(time)))}</p>
      {state === 'unconfirmed' && <CodeForm book={book} channel={channel} />}
      {secret.value !== undefined && <Secret secret={secret.value} close={() => (secret.value = undefined)} />}
      {editing.value && <EditForm book={book} channel={channel} close={() => (editing.value = false)} />}
      {tested.value && <p role="status" data-testid="test" data-state={tested.value.state}>{alerts.testOutcome(tested.value)}</p>}
      <Said problem={problem.value} />
      <div class="buttons">
        {state === 'active' && <button {...button} onClick={() => void test()}>{alerts.test}</button>}
        {state === 'active' && <button {...button} onClick={() => void run(() => book.changeChannel(id, { state: 'paused' }))}>{alerts.pause}</button>}
        {(state === 'paused' || state === 'disabled') && <button {...button} onClick={() => void run(() => book.changeChannel(id, { state: 'active' }))}>{alerts.resume}</button>}
        {!editing.value && <button type="button" aria-label={alerts.editNamed(name)} onClick={() => (editing.value = true)}>{words.common.edit}</button>}
        {kind === 'webhook' && <button {...button} onClick={() => void run(async () => (secret.value = (await book.rotateSecret(id)).secret))}>{alerts.rotate}</button>}
        <a class="button" href={alertsPath({ show: 'sent', channel: id })}>{alerts.whatWasSent}</a>
        <RemoveButton label={alerts.removeNamed(name)} question={alerts.removeChannel} busy={busy.value} onRemove={() => void run(() => book.removeChannel(id))} />
      </div>
    </li>
  );
}

const addressOf = ({ url, address, endpoint }: Channel): string | undefined => url ?? address ?? (endpoint && new URL(endpoint).host);

/** Name, and the address of a webhook. */
function EditForm({ book, channel, close }: { book: Book; channel: Channel; close: () => void }) {
  const { busy, problem, run } = useDoing();
  const name = useSignal(channel.name);
  const url = useSignal(channel.url ?? '');
  const save = async (event: Event) => {
    event.preventDefault();
    const patch = { ...(name.value.trim() !== channel.name && { name: name.value.trim() }), ...(channel.url !== undefined && url.value !== channel.url && { url: url.value.trim() }) };
    if (Object.keys(patch).length === 0 || (await run(() => book.changeChannel(channel.id, patch)))) close();
  };
  return (
    <form class="fields" onSubmit={(event) => void save(event)}>
      <Field label={words.alerts.name}>{(attributes) => <input {...attributes} required maxLength={200} value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />}</Field>
      {channel.url !== undefined && (
        <Field label={words.alerts.url}>{(attributes) => <input {...attributes} type="url" required maxLength={2048} value={url.value} onInput={(event) => (url.value = event.currentTarget.value)} />}</Field>
      )}
      <Said problem={problem.value} />
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled={busy.value}>{words.common.save}</button>
        <button type="button" onClick={close}>{words.common.cancel}</button>
      </div>
    </form>
  );
}

/** For the code that a mailbox was sent. */
function CodeForm({ book, channel }: { book: Book; channel: Channel }) {
  const { busy, problem, run } = useDoing();
  const code = useSignal('');
  return (
    <form class="fields" onSubmit={(event) => (event.preventDefault(), void run(() => book.confirm(channel.id, code.value.trim())))}>
      <Field label={words.alerts.code} hint={words.alerts.codeHint(channel.address ?? '')}>
        {(attributes) => (
          <input {...attributes} name="code" required maxLength={40} autocomplete="one-time-code" autocapitalize="characters" spellcheck={false} value={code.value} onInput={(event) => (code.value = event.currentTarget.value)} />
        )}
      </Field>
      <Said problem={problem.value} />
      <div class="buttons"><button type="submit" class="primary" aria-disabled={busy.value}>{words.alerts.confirm}</button></div>
    </form>
  );
}

const looks = 20; // at what becomes of a test
const pause = 750; // between two, in milliseconds

/** Follows what becomes of a test until it is over or takes long. */
async function outcomeOf(book: Book, channel: string, deliveryId: string, follow: (delivery: Delivery) => void): Promise<Delivery | undefined> {
  let found: Delivery | undefined;
  for (let i = 0; i < looks && !(found && isOver(found)); i++) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const { items } = await book.api.deliveries({ channel, limit: 20 });
    found = items.find(({ id }) => id === deliveryId);
    if (found) follow(found);
  }
  return found;
}
