import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Whether somebody may be looking at the page: what nobody looks at is not asked for again and again. */
export function useVisible() {
  const visible = useSignal(document.visibilityState === 'visible');
  useEffect(() => {
    const follow = () => (visible.value = document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', follow);
    return () => document.removeEventListener('visibilitychange', follow);
  }, [visible]);
  return visible;
}
