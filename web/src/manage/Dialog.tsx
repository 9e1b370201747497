import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../text/words';

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** Something in front of the page that is dealt with first. The browser keeps the keyboard inside, and gives it back afterwards. */
export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const { current } = dialog;
    const before = document.activeElement;
    current?.showModal();
    current?.querySelector<HTMLElement>('[data-first], input, select')?.focus();
    return () => {
      current?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="manage-dialog" aria-labelledby={id} onCancel={(event) => { event.preventDefault(); close(); }}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="plain" aria-label={words.common.close} onClick={close}>×</button>
      </header>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly close: () => void;
  readonly go: () => void;
}

/** Asks once more before something is done that cannot be undone. */
export const Confirm = ({ title, text, yes, close, go }: ConfirmProps) => (
  <Dialog title={title} close={close}>
    <p>{text}</p>
    <footer>
      <button type="button" onClick={close} data-first>{words.common.cancel}</button>
      <button type="button" class="grave" onClick={() => { close(); go(); }}>{yes}</button>
    </footer>
  </Dialog>
);
