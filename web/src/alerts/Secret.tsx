import { useSignal } from '@preact/signals';
import { words } from '../text/words';

/** The secret of a webhook, this once. */
export function Secret({ secret, close }: { secret: string; close: () => void }) {
  const { alerts } = words;
  const copied = useSignal(false);
  const clipboard = navigator.clipboard as Clipboard | undefined; // pages that are not encrypted have none
  const copy = () => void clipboard?.writeText(secret).then(() => (copied.value = true), () => undefined);
  return (
    <div class="secret" role="status" data-testid="secret">
      <p><b>{alerts.secret}</b> {alerts.secretHint}</p>
      <code>{secret}</code>
      <div class="buttons">
        {clipboard && <button type="button" onClick={copy}>{copied.value ? alerts.copied : alerts.copy}</button>}
        <button type="button" onClick={close}>{alerts.kept}</button>
      </div>
    </div>
  );
}
