import { watchPage } from 'parkwire-client';
import { render } from 'preact';
import { Api } from './live/api';
import { Session } from './live/session';
import './styles/main.css';
import { App } from './ui/App';
import { startClock } from './ui/clock';
import { startRouter } from './ui/router';

const session = new Session(new Api(), '/notifications');
watchPage(session.connection);
startClock();
startRouter(() => requestAnimationFrame(() => {
  // The next view is there now: it is read from its start, and its heading is where the keyboard goes on.
  scrollTo(0, 0);
  document.querySelector('main')?.scrollTo(0, 0);
  document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
}));
render(<App session={session} />, document.getElementById('app')!);
void session.connection.run();
