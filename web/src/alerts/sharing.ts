// Several tabs of one browser that do something once: one leads, and all hear what is said.

/** Takes part until ended. lead is called where this tab leads, and does so until its promise is kept. Returns what says something to the others. */
export function share<Word>(name: string, ended: AbortSignal, hear: (word: Word) => void, lead: () => Promise<void>): (word: Word) => void {
  const others = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(name);
  if (others) others.onmessage = ({ data }: MessageEvent<Word>) => hear(data);
  ended.addEventListener('abort', () => others?.close(), { once: true });
  // Pages that are not encrypted have no locks: each leads itself.
  const locks = navigator.locks as LockManager | undefined;
  if (locks) void locks.request(name, { signal: ended }, lead).catch(() => undefined);
  else void lead();
  return (word) => {
    if (!ended.aborted) others?.postMessage(word);
  };
}
