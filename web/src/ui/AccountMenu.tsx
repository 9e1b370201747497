import { words } from '../text/words';
import { Menu } from './Menu';
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
    <Menu class="account" testId="account" label={<span>{person?.name ?? words.common.signIn}</span>} what={person ? words.common.signedInAs(person.name) : words.common.signInWithToken}>
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
