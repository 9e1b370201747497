/** Gives a page that somebody sees its turn: what follows runs in a task of its own, so that what one waits for is the longest of them and not their sum. */
export const turn = (): Promise<void> =>
  typeof document === 'undefined' || document.hidden ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve));
