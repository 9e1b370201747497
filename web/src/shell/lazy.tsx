import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Loading, PartFailed } from '../ui/Notices';
import { settle } from './arrival';

/** A view in a chunk of its own, which is fetched when it is opened for the first time. What could not be fetched says so, and is tried again by opening it again. */
export function lazy<P extends object>(load: () => Promise<{ readonly default: ComponentType<P> }>, Waiting: ComponentType = Loading) {
  const view = signal<ComponentType<P> | undefined>(undefined);
  const failed = signal(false);
  let asked = false;
  const fetchView = () => {
    asked = true;
    failed.value = false;
    load().then(
      (module) => (view.value = module.default),
      () => {
        asked = false;
        failed.value = true;
      },
    );
  };
  return function Lazy(properties: P) {
    const View = view.value;
    useEffect(settle, [View]);
    if (View) return <View {...properties} />;
    if (failed.value) return <PartFailed retry={fetchView} />;
    if (!asked) fetchView();
    return <Waiting />;
  };
}
