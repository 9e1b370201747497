// A program that uses clients/typescript as it is built, in Node with the package ws. Argument: the addresses, by commas.
// It says each event that a subscription is given, also in a snapshot, as "NAME SPOT VERSION CHANGE".
import { Parkwire } from '../../../clients/typescript/dist/index.js';
import WebSocket from 'ws';
import { fail, say } from './say.js';

const client = new Parkwire(process.argv[2].split(','), { WebSocket });
client.on('state', (state) => say({ state }));
client.on('lost', (lost) => say({ lost }));
client.on('error', ({ code, message }) => say({ trouble: `${code}: ${message}` }));

const subscriptions = Object.entries({ all: { snapshot: true }, lot: { lot: ['ts-1'] }, freed: { change: ['released'] } }).map(([name, request]) =>
  client.subscribe(request, (message) => {
    if (message.type === 'error') fail(message.error);
    if (message.type === 'reset') fail(`${name} was reset: ${message.reason}`);
    for (const { spotId, version, change } of message.events) say({ message: [name, spotId, version, change].join(' ') });
  }),
);

const waiting = setInterval(() => {
  if (subscriptions.some(({ cursor }) => cursor === undefined)) return;
  clearInterval(waiting);
  say({ ready: true });
}, 10);

// Told to stop, it leaves nothing that keeps the process alive.
process.on('SIGTERM', () => {
  client.close();
  say({ state: client.state });
  process.removeAllListeners('SIGTERM');
});
