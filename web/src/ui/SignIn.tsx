import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { endsSoon, setbackText, signInText } from '../text/english';
import { clock } from './clock';
import { here } from './router';
import { useAccount } from './who';

/** What is shown instead of the lots where one must sign in to see them. */
export function SignIn() {
  const account = useAccount();
  const way = account.way.value;
  return (
    <section class="notice" data-testid="locked">
      <h1>Sign in to see the lots</h1>
      {way && <p>{signInText[way]}</p>}
      {way === 'provider' && <button type="button" class="primary" onClick={() => void account.signIn(here())}>Sign in</button>}
      {way === 'token' && (
        <>
          <pre><code>parkwire token --scope read</code></pre>
          <TokenForm />
        </>
      )}
    </section>
  );
}

/** For installations without a provider: takes a token that somebody has. */
export function TokenForm() {
  const account = useAccount();
  const id = useId();
  const problem = useSignal('');
  const submit = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem('token') as HTMLInputElement;
    problem.value = '';
    account.useToken(field.value.trim()).catch((error: unknown) => (problem.value = error instanceof Error ? error.message : String(error)));
    field.value = '';
  };
  return (
    <form class="token" onSubmit={submit}>
      <label for={id}>Token</label>
      <input id={id} name="token" type="password" required autocomplete="off" spellcheck={false} />
      <button type="submit">Use it</button>
      <p class="quiet">It stays in this tab alone.</p>
      {problem.value && <p role="alert">{problem.value}</p>}
    </form>
  );
}

const soon = 120_000; // milliseconds

/** Tells that the sign-in has ended, or is about to, as long as that matters. */
export function SignInBanner() {
  const account = useAccount();
  const setback = account.setback.value;
  const endsAt = account.endsAt.value;
  const ending = endsAt !== undefined && endsAt - clock.value < soon;
  if (!setback && !ending) return null;
  return (
    <div class="stale" role="alert" data-testid="setback" data-reason={setback?.reason ?? 'ending'}>
      <p>{setback ? setbackText(setback) : endsSoon(endsAt!)}</p>
      {account.way.value === 'provider' && <button type="button" onClick={() => void account.signIn(here())}>Sign in</button>}
      {setback && <button type="button" class="plain" aria-label="Dismiss" onClick={() => account.dismiss()}>×</button>}
    </div>
  );
}
