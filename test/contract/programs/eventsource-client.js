// A client as pages write it: the EventSource of the WHATWG, here that of undici. Argument: the URL.
import { EventSource } from 'undici';
import { fail, say } from './say.js';

const source = new EventSource(process.argv[2]);
source.onopen = () => say({ ready: true });
source.onmessage = (event) => say({ message: event.data, id: event.lastEventId });
source.onerror = (event) => fail(event.message ?? 'the EventSource failed');
