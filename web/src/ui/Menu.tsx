import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface MenuProps {
  readonly class: string;
  readonly label: ComponentChildren;
  /** What it is, to those who do not see the label. */
  readonly what: string;
  readonly testId?: string;
  readonly children: ComponentChildren;
}

/** A part that unfolds in the head of the page, and folds when one leaves it. */
export function Menu({ class: name, label, what, testId, children }: MenuProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const leave = (event: Event) => {
      const { current } = menu;
      const away = event instanceof KeyboardEvent ? event.key === 'Escape' : !current?.contains(event.target as Node);
      if (!current?.open || !away) return;
      current.open = false;
      if (event instanceof KeyboardEvent) current.querySelector('summary')?.focus();
    };
    const events = ['keydown', 'pointerdown', 'focusin'] as const;
    for (const each of events) document.addEventListener(each, leave);
    return () => {
      for (const each of events) document.removeEventListener(each, leave);
    };
  }, []);
  return (
    <details class={name} ref={menu}>
      <summary aria-label={what} title={what} data-testid={testId}>{label}</summary>
      <div class="menu">{children}</div>
    </details>
  );
}
