// A client as pages write it: the WebSocket of the WHATWG, here that of undici. Argument: the URL.
import { WebSocket } from 'undici';
import { fail, say } from './say.js';

const socket = new WebSocket(process.argv[2]);
socket.onopen = () => say({ ready: true, protocol: socket.protocol });
socket.onmessage = (event) => say({ message: event.data, binary: typeof event.data !== 'string' });
socket.onerror = (event) => fail(event.error ?? 'the WebSocket failed');
socket.onclose = (event) => fail(`closed with ${event.code}`);
