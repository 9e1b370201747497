// The door to alerts in every view. Who is not signed in has none, and fetches none of it.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Session } from '../live/session';
import { go, pathTo } from '../ui/router';
import { useAccount } from '../ui/who';

const view = signal<ComponentType<{ session: Session }> | undefined>(undefined);

export function Told({ session }: { session: Session }) {
  const signedIn = useAccount().person.value !== undefined;
  const connection = session.connection.state.value;
  useEffect(() => {
    if (signedIn && !view.peek()) void import('./Toasts').then((module) => (view.value = module.default), () => undefined); // again when the connection is there again
  }, [signedIn, connection]);
  useEffect(() => {
    // Somebody chose a notification of the service worker: it leads here.
    const worker = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    const follow = ({ data }: MessageEvent<{ readonly type?: unknown; readonly path?: unknown } | null>) => {
      if (data?.type === 'parkwire.open' && typeof data.path === 'string' && /^\/(?!\/)/.test(data.path)) go(pathTo(data.path));
    };
    worker?.addEventListener('message', follow);
    return () => worker?.removeEventListener('message', follow);
  }, []);
  const View = view.value;
  return signedIn && View ? <View session={session} /> : null;
}
