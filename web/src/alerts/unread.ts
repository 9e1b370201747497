import { signal, type ReadonlySignal, type Signal } from '@preact/signals';

const count = signal(0);

/** How many alerts were told that this browser has not shown in the list of alerts yet; 0 where nobody is signed in. */
export const unread: ReadonlySignal<number> = count;

/** For the one that counts them. */
export const unreadCount: Signal<number> = count;
