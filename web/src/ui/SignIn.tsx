import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { words } from '../text/words';
import { clock } from './clock';
import { here } from './router';
import { useAccount } from './who';

/** What is shown instead of the lots where one must sign in to see them. */
export function SignIn() {
  const account = useAccount();
  const way = account.way.value;
  return (
    <section class="notice" data-testid="locked">
      <h1>{words.common.signInToSee}</h1>
      {way && <p>{words.common.signInWay[way]}</p>}
      {way === 'provider' && <button type="button" class="primary" onClick={() => void account.signIn(here())}>{words.common.signIn}</button>}
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
      <label for={id}>{words.common.token}</label>
      <input id={id} name="token" type="password" required autocomplete="off" spellcheck={false} />
      <button type="submit">{words.common.useToken}</button>
      <p class="quiet">{words.common.tokenStays}</p>
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
      <p>{setback ? words.common.setback(setback) : words.common.endsSoon(endsAt!)}</p>
      {account.way.value === 'provider' && <button type="button" onClick={() => void account.signIn(here())}>{words.common.signIn}</button>}
      {setback && <button type="button" class="plain" aria-label={words.common.dismiss} onClick={() => account.dismiss()}>×</button>}
    </div>
  );
}
