import { useSignal } from '@preact/signals';
import { words } from '../text/words';
import { slugOf, type ChannelWish } from './api';
import type { Book } from './book';
import { ChannelCard } from './ChannelCard';
import { Field, Said, useDoing } from './fields';
import { Secret } from './Secret';
import { ThisBrowser, WhileOpen } from './ThisBrowser';

/** Where alerts are told: here, in this browser, and at the subject's channels. */
export function WaysSection({ book, subject }: { book: Book; subject: string }) {
  const { alerts } = words;
  const channels = book.channels.value ?? [];
  return (
    <section aria-label={alerts.ways}>
      <h2>{alerts.thisBrowser}</h2>
      <WhileOpen />
      <ThisBrowser book={book} subject={subject} />
      <h2>{alerts.channels}</h2>
      {channels.length === 0 ? (
        <p class="none">{alerts.noChannels}</p>
      ) : (
        <ul class="items">{channels.map((channel) => <ChannelCard key={channel.id} book={book} channel={channel} />)}</ul>
      )}
      <h2>{alerts.addChannel}</h2>
      <div class="adding">
        <Add book={book} kind="webhook" />
        <Add book={book} kind="mail" />
      </div>
    </section>
  );
}

/** Adds a webhook or a mailbox. What the operator has not set up is said in place. */
function Add({ book, kind }: { book: Book; kind: 'webhook' | 'mail' }) {
  const { alerts } = words;
  const { busy, problem, run } = useDoing();
  const name = useSignal('');
  const where = useSignal('');
  const secret = useSignal<string | undefined>(undefined);
  const missing = useSignal(false);
  const add = (event: Event) => {
    event.preventDefault();
    const called = name.value.trim();
    const wish: ChannelWish = { ...(called !== '' && { name: called }), ...(kind === 'webhook' ? { kind, url: where.value.trim() } : { kind, address: where.value.trim() }) };
    void run(async () => {
      const added = await book.addChannel(wish).catch((error: unknown) => {
        missing.value = slugOf(error) === 'mail-not-configured';
        throw error;
      });
      secret.value = added.secret;
      name.value = where.value = '';
    });
  };
  return (
    <form class="fields" data-testid={`add-${kind}`} onSubmit={add}>
      <h3>{alerts.kind[kind]}</h3>
      <p class="quiet">{kind === 'webhook' ? alerts.webhookHint : alerts.mailHint}</p>
      <Field label={kind === 'webhook' ? alerts.url : alerts.address}>
        {(attributes) => kind === 'webhook' ? (
          <input {...attributes} name="where" type="url" required autocomplete="off" maxLength={2048} placeholder={'https://example.org/hooks/parking'} value={where.value} onInput={(event) => (where.value = event.currentTarget.value)} />
        ) : (
          <input {...attributes} name="where" type="email" required autocomplete="email" maxLength={254} placeholder={'anna@example.org'} value={where.value} onInput={(event) => (where.value = event.currentTarget.value)} />
        )}
      </Field>
      <Field label={alerts.name} hint={alerts.optional}>
        {(attributes) => <input {...attributes} name="name" maxLength={200} value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />}
      </Field>
      {missing.value ? <p class="fault" role="alert">{alerts.mailMissing}</p> : <Said problem={problem.value} />}
      {secret.value !== undefined && <Secret secret={secret.value} close={() => (secret.value = undefined)} />}
      <div class="buttons"><button type="submit" aria-disabled={busy.value}>{kind === 'webhook' ? alerts.addWebhook : alerts.addMail}</button></div>
    </form>
  );
}
