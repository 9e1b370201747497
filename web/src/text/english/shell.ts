// The words around the views: navigation, banners, what is said when there is nothing to show.
import type { ConnectionState } from '../../live/connection';
import { number, shortTime } from '../format';

const connection: Record<ConnectionState, string> = { connecting: 'Connecting', open: 'Live', reconnecting: 'Reconnecting', offline: 'Offline' };

/** What an interrupted connection means for the viewer. */
function staleness(state: ConnectionState, asOf: number | undefined): string {
  if (asOf === undefined) return '';
  const until = `What you see is from ${shortTime(asOf, Date.now())}`;
  switch (state) {
    case 'offline': return `This device is offline. ${until}.`;
    case 'connecting': return `The live connection is being opened. ${until}.`;
    case 'reconnecting': return `The live connection was lost. ${until}; what changed since will follow.`;
    case 'open': return '';
  }
}

export const shell = {
  connection, staleness, standing: 'How old what is shown is', delayed: 'Delayed',
  /** What it means for the viewer that the event log is away. */
  delay: (asOf: number): string => `Changes are delayed: the event log is away. What you see is from ${shortTime(asOf, Date.now())}; what changed since will follow.`,
  home: 'Parkwire, all lots', views: 'Views', more: 'More', skip: 'To the content',
  city: 'City', map: 'Map', table: 'Table', changes: 'Changes', alerts: 'Alerts', manage: 'Manage',
  plan: 'Plan', history: 'History', spot: 'Spot', import: 'Import',
  unread: (n: number): string => `${number(n)} unread`,
  viewsOf: (lot: string): string => `Views of ${lot}`, tellMe: 'Tell me when…',
  settings: 'Settings', theme: 'Colours', light: 'Light', dark: 'Dark', asDevice: 'As the device',
  motion: 'Motion', motionOn: 'On', motionOff: 'Off', language: 'Language',
  wallDisplay: 'Wall display', wallDisplayHint: 'Large, without controls, and the screen stays on. Escape ends it.',
  install: 'Install as an app', newer: 'There is a newer version of this page.', loadNewer: 'Load it',
  apiTitle: 'The interfaces for programs',
  partFailed: 'This part of the page could not be loaded', partFailedDetail: 'The connection may be lost, or there is a newer version of this page.', reload: 'Load the page again',
  goesOn: 'This page goes on trying by itself.',
  statusCode: (status: number): string => `Status ${status}.`,
  request: 'Request',
  nothingHere: 'There is nothing here', nothingHereDetail: 'This address belongs to no page of Parkwire.',
  noLot: 'There is no such lot', noLotDetail: (id: string): string => `No lot has the id “${id}”. It may have been removed.`, seeAll: 'See all lots',
  noLots: 'No lots yet', noLotsDetail: 'Parkwire is running and waits for its first lot. This page fills itself as soon as there is one.',
  seeAlive: 'See it alive', seeAliveDetail: 'A whole city with thousands of spots, simulated on this machine:',
  addOwn: 'Add your own', addOwnDetail: 'With a token that this prints:', exampleLot: 'Central Station',
};
