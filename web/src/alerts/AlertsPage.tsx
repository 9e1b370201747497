import { useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { kiosk } from '../shell/settings';
import type { PageProps } from '../shell/pages';
import { words } from '../text/words';
import { alertsPath, here, query } from '../ui/router';
import { TokenForm } from '../ui/SignIn';
import { useAccount } from '../ui/who';
import './alerts.css';
import { AlertsApi } from './api';
import { Book } from './book';
import { lookAgain } from './notify';
import { RuleEditor } from './RuleEditor';
import { RulesSection } from './RulesSection';
import { SentSection } from './SentSection';
import { tellingOf } from './telling';
import { ToldSection } from './ToldSection';
import { unread } from './unread';
import { WaysSection } from './WaysSection';

/** The rules of who is signed in, what they told, and where that is sent. */
export default function AlertsPage({ session }: PageProps) {
  const person = useAccount().person.value;
  return (
    <article class="alerts">
      <h1 tabIndex={-1}>{words.shell.alerts}</h1>
      {person ? <Own key={person.subject} session={session} subject={person.subject} /> : <SignInFirst />}
    </article>
  );
}

/** Rules belong to somebody. */
function SignInFirst() {
  const account = useAccount();
  const way = account.way.value;
  return (
    <section class="explained" data-testid="sign-in-first">
      <p>{words.alerts.signInFirst}</p>
      {way === 'provider' && <button type="button" class="primary" onClick={() => void account.signIn(here())}>{words.common.signIn}</button>}
      {way === 'token' && (
        <>
          <p>{words.alerts.tokenFrom}</p>
          <pre><code>parkwire token --scope read --subject anna</code></pre>
          <TokenForm />
        </>
      )}
      {(way === 'unreachable' || way === 'insecure') && <p>{words.alerts.cannotSignIn[way]}</p>}
    </section>
  );
}

const sections = ['rules', 'told', 'ways', 'sent'] as const;
type Section = (typeof sections)[number];

function Own({ session, subject }: PageProps & { subject: string }) {
  const { alerts } = words;
  const book = useMemo(() => new Book(new AlertsApi(session.api)), [session]);
  const telling = tellingOf(session);
  useEffect(() => {
    const look = () => {
      if (document.visibilityState !== 'visible') return;
      lookAgain();
      void book.load();
    };
    void book.load();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      book.close();
    };
  }, [book]);
  useSignalEffect(() => {
    if (telling.told.value.length > 0 && book.loaded.peek()) void book.load(); // what was told changes what rules do
  });

  useSignalEffect(() => {
    if (telling.state.value === 'open') telling.keepPlace();
  });

  const { problem } = book;
  if (book.absent.value) return <p class="explained" data-testid="absent">{alerts.absent} {problem.value?.detail}</p>;
  const failed = problem.value && words.common.problem(problem.value);
  if (!book.loaded.value) {
    return failed ? <p class="explained" role="alert" data-testid="away">{failed.title}. {failed.detail} {alerts.triesAgain}</p> : <p class="quiet" role="status">{words.common.loading}</p>;
  }
  if (kiosk.value) return <ToldSection book={book} telling={telling} />;

  const editing = query.value.get('rule');
  const section: Section = sections.find((each) => each === query.value.get('show')) ?? 'rules';
  const rule = book.rules.value?.find(({ id }) => id === editing);
  return (
    <>
      <nav class="sections" aria-label={alerts.sections}>
        {sections.map((each) => (
          <a key={each} href={alertsPath(each === 'rules' ? {} : { show: each })} aria-current={each === section && editing === null ? 'page' : undefined}>
            {alerts.section[each]}
            {each === 'told' && unread.value > 0 && <b><span class="unseen">{alerts.unread(unread.value)}</span><span aria-hidden="true">{unread.value}</span></b>}
          </a>
        ))}
      </nav>
      {failed && <p class="quiet" role="status" data-testid="not-fresh">{failed.title}. {alerts.triesAgain}</p>}
      {editing !== null && (editing === 'new' || rule) && <RuleEditor key={editing} session={session} book={book} rule={rule} subject={subject} />}
      {editing !== null && editing !== 'new' && !rule && <p class="explained" role="alert">{alerts.noSuchRule}</p>}
      {editing === null && section === 'rules' && <RulesSection session={session} book={book} />}
      {editing === null && section === 'told' && <ToldSection book={book} telling={telling} />}
      {editing === null && section === 'ways' && <WaysSection book={book} subject={subject} />}
      {editing === null && section === 'sent' && <SentSection book={book} telling={telling} />}
    </>
  );
}
