import { effect, type ReadonlySignal } from '@preact/signals';

/** Loads the page anew where there is a newer one and nobody is there to do it: within this time (milliseconds), so that not all wall displays do it at once, and only as long as it is one. Returns what ends it. */
export function renewWall(outdated: ReadonlySignal<boolean>, kiosk: ReadonlySignal<boolean>, reload: () => void, within = 60_000): () => void {
  return effect(() => {
    if (!outdated.value || !kiosk.value) return undefined;
    const timer = setTimeout(reload, Math.random() * within);
    return () => clearTimeout(timer);
  });
}
