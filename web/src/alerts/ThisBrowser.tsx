import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemOf, type Problem } from '../live/http';
import { words } from '../text/words';
import type { Book } from './book';
import { Said } from './fields';
import { permission, want, wanted } from './notify';
import { isOfAnother, obstacle, ownChannel, presentEndpoint, PushError, subscribe, unsubscribe, type PushObstacle } from './push';
import type { NewChannel } from './wire';

interface Props {
  readonly book: Book;
  readonly subject: string;
  /** Where there is no room for more than a button. */
  readonly brief?: boolean;
  readonly onSubscribed?: (channel: NewChannel) => void;
}

/** This browser as a place to which alerts are sent, also while no page is open; and what stands in the way. */
export function ThisBrowser({ book, subject, brief = false, onSubscribed }: Props) {
  const { alerts } = words;
  const hindered = useSignal<PushObstacle | undefined>(obstacle());
  const endpoint = useSignal<string | undefined>(undefined);
  const known = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  const look = async () => {
    endpoint.value = await presentEndpoint().catch(() => undefined);
    known.value = true;
  };
  useEffect(() => void look(), []);

  const own = isOfAnother(subject) ? undefined : ownChannel(book.channels.value ?? [], endpoint.value);
  const act = async (task: () => Promise<void>) => {
    if (busy.peek()) return;
    busy.value = true;
    hindered.value = problem.value = undefined;
    try {
      await task();
    } catch (error) {
      if (error instanceof PushError) hindered.value = error.obstacle;
      else problem.value = problemOf(error);
    }
    await look();
    busy.value = false;
  };
  const begin = () => act(async () => {
    const channel = book.put(await subscribe(book.api, subject, alerts.browserName()));
    onSubscribed?.(channel);
  });
  const end = () => act(async () => {
    await unsubscribe();
    if (own) await book.removeChannel(own.id);
  });

  if (brief && (own || !known.value || hindered.value === 'unsupported')) return null;
  return (
    <div class="browser" data-testid="this-browser" data-state={hindered.value ?? (own ? own.state : 'none')}>
      {!brief && <p>{own ? alerts.browserTold : alerts.browserNotTold}</p>}
      {!brief && !own && isOfAnother(subject) && <p class="quiet">{alerts.browserOfAnother}</p>}
      {hindered.value && <p class="quiet" role="status">{alerts.obstacle[hindered.value]}</p>}
      <Said problem={problem.value} />
      {own && own.state !== 'ended' ? (
        <button type="button" aria-disabled={busy.value} onClick={() => void end()}>{alerts.stopBrowser}</button>
      ) : (
        hindered.value !== 'unsupported' && hindered.value !== 'insecure' && (
          <button type="button" aria-disabled={busy.value || !known.value} onClick={() => void begin()}>{alerts.tellBrowser}</button>
        )
      )}
    </div>
  );
}

/** Notifications for as long as a page is open: they need nothing of the operator. */
export function WhileOpen() {
  const { alerts } = words;
  const allowed = permission.value;
  const possible = allowed === 'default' || allowed === 'granted';
  return (
    <div class="browser" data-testid="while-open" data-permission={allowed}>
      <p>{alerts.whileOpen}</p>
      {!possible && <p class="quiet">{alerts.obstacle[allowed]}</p>}
      {possible && (
        <button type="button" role="switch" aria-checked={wanted.value} aria-label={alerts.whileOpen} onClick={() => void want(!wanted.value)}>
          {wanted.value ? alerts.on : alerts.off}
        </button>
      )}
    </div>
  );
}
