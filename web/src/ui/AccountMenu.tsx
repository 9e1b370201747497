import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../text/words';
import { here } from './router';
import { TokenForm } from './SignIn';
import { useAccount } from './who';

/** Who is signed in and what they may do, or how to sign in where that is of use. */
export function AccountMenu() {
  const account = useAccount();
  const person = account.person.value;
  const way = account.way.value;
  if (!person && way === 'provider') {
    return <button type="button" class="account" data-testid="sign-in" onClick={() => void account.signIn(here())}>{words.common.signIn}</button>;
  }
  if (!person && (way !== 'token' || account.locked.value)) return null; // where one must, the page itself asks for the token
  return (
    <Menu label={person?.name ?? words.common.signIn} what={person ? words.common.signedInAs(person.name) : words.common.signInWithToken}>
      {person ? (
        <div data-testid="person" data-subject={person.subject}>
          <p><b>{person.name}</b></p>
          <p class="quiet">{words.common.permission(person.scope, person.lots)}</p>
          <button type="button" data-testid="sign-out" onClick={() => account.signOut()}>{words.common.signOut}</button>
        </div>
      ) : (
        <TokenForm />
      )}
    </Menu>
  );
}

function Menu({ label, what, children }: { label: string; what: string; children: ComponentChildren }) {
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
    for (const name of events) document.addEventListener(name, leave);
    return () => {
      for (const name of events) document.removeEventListener(name, leave);
    };
  }, []);
  return (
    <details class="account" ref={menu}>
      <summary aria-label={what} data-testid="account"><span>{label}</span></summary>
      <div class="menu">{children}</div>
    </details>
  );
}
