// After a link the next view is read from its start, and its heading is where the keyboard goes on.
let awaited = false;

/** The page has gone to another address. Its view is drawn with the next frame, or when it has been fetched. */
export function arrive(): void {
  awaited = true;
  requestAnimationFrame(settle);
}

/** To be called when a view is there that was not before. */
export function settle(): void {
  const heading = awaited ? document.querySelector<HTMLElement>('main h1') : null;
  if (!heading) return;
  awaited = false;
  scrollTo(0, 0);
  for (const part of document.querySelectorAll('main, main .of-lot')) part.scrollTo(0, 0);
  heading.focus({ preventScroll: true });
}
