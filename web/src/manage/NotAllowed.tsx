import { words } from '../text/words';
import { here } from '../ui/router';
import { TokenForm } from '../ui/SignIn';
import { useAccount } from '../ui/who';

/** What is shown to those who may not change lots: what it takes, and how they get it. */
export function NotAllowed({ title, lotId }: { title: string; lotId?: string }) {
  const account = useAccount();
  const person = account.person.value;
  const way = account.way.value;
  return (
    <section class="notice" data-testid="not-allowed">
      <h1 tabIndex={-1}>{title}</h1>
      <p>{person ? words.manage.mayNot(person.name, words.common.permission(person.scope, person.lots), lotId) : words.manage.signInFirst}</p>
      {!person && way === 'provider' && <button type="button" class="primary" onClick={() => void account.signIn(here())}>{words.common.signIn}</button>}
      {!person && way === 'token' && (
        <>
          <pre><code>parkwire token --scope operate</code></pre>
          <TokenForm />
        </>
      )}
    </section>
  );
}
