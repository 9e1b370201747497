// How the keyboard moves among bays: the tabulator key reaches one of them, arrow keys the others.

const arrows: Readonly<Record<string, readonly [dx: number, dy: number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Follows a key; step tells which bay is next to one, that way on the screen. */
export function focusStep(event: KeyboardEvent, bays: readonly HTMLElement[], step: (from: number, dx: number, dy: number) => number | undefined): void {
  const from = bays.indexOf(document.activeElement as HTMLElement);
  if (from === -1) return;
  const arrow = arrows[event.key];
  const ends: Readonly<Record<string, number>> = { Home: 0, End: bays.length - 1 };
  const to = bays[arrow ? (step(from, ...arrow) ?? -1) : (ends[event.key] ?? -1)];
  if (!to) return;
  event.preventDefault();
  to.focus();
}

/** The bay that had the focus last is the one to which the tabulator key returns. */
export function keepStop(event: FocusEvent & { currentTarget: HTMLElement }): void {
  if (!(event.target as HTMLElement).classList.contains('bay')) return;
  for (const bay of event.currentTarget.querySelectorAll<HTMLElement>('.bay[tabindex="0"]')) bay.tabIndex = -1;
  (event.target as HTMLElement).tabIndex = 0;
}
