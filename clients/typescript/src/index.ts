export { Parkwire, type Happenings, type Options, type State } from './client.js';
export type { Lost, Socket, SocketConstructor, TokenProvider } from './line.js';
export { watchPage } from './page.js';
export type { Request, Subscription, SubscriptionListener, SubscriptionMessage } from './subscription.js';
export { ParkwireError, type Change, type Filter, type OtherEvent, type ParkingEvent, type SpotEvent, type Status } from './wire.js';
