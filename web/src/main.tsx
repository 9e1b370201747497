import { watchPage } from 'parkwire-client';
import { render } from 'preact';
import { Account, arrivalPath } from './identity/account';
import { TabStorage } from './identity/storage';
import { Api } from './live/api';
import { keepLooking } from './live/described';
import { BrowserShelf } from './live/last';
import { Session } from './live/session';
import { turn } from './live/turn';
import { App } from './shell/App';
import { arrive } from './shell/arrival';
import { startKiosk } from './shell/kiosk';
import { startOffline } from './shell/offline';
import { remember } from './shell/remember';
import { startSettings } from './shell/settings';
import './styles/main.css';
import { prepareFormats } from './text/format';
import { startClock } from './ui/clock';
import { replaceAddress, startRouter } from './ui/router';
import { Who } from './ui/who';

// Back from the provider, with what must not stay in the address.
const storage = new TabStorage(sessionStorage);
const arrival = location.pathname === arrivalPath ? new URLSearchParams(location.search) : undefined;
if (arrival) replaceAddress(storage.back);

const account: Account = new Account(
  {
    storage, request: (...args) => fetch(...args), origin: location.origin, leave: (address) => location.assign(address),
    locks: navigator.locks as LockManager | undefined, secure: isSecureContext,
  },
  arrival,
  () => session.restart(),
);
const session = new Session(new Api(account), '/notifications', { credentials: account });
addEventListener('pageshow', ({ persisted }) => {
  if (persisted && !account.returned()) location.reload();
});
watchPage(session.connection);
startClock();
startRouter(arrive);
void session.connection.run(); // while the words come
keepLooking(session.described);
remember(session, new BrowserShelf(), account.isPublic, account.seesAll);
await startSettings();
startKiosk();
await turn();
render(<Who value={account}><App session={session} /></Who>, document.getElementById('app')!);
await turn();
prepareFormats();
startOffline(session.connection);
