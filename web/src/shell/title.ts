import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** What the view that is shown calls itself; undefined: its address says enough. */
export const title = signal<string | undefined>(undefined);

/** Names the page in the browser's tabs, as long as the view is shown. */
export function useTitle(text: string | undefined): void {
  useEffect(() => {
    title.value = text;
    return () => {
      if (title.peek() === text) title.value = undefined;
    };
  }, [text]);
}
