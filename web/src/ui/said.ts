import { signal } from '@preact/signals';

/** What the one live region of the page says, see shell/Announcer.tsx. */
export const said = signal('');

/** Has something told, once, to those who listen: what somebody did that shows elsewhere than where they are. A space at its end makes it news where it was told last. */
export const say = (text: string): void => void (said.value = said.peek() === text ? `${text}\u00a0` : text);
