// A client as tutorials write it, with the package ws. Argument: the URL.
import WebSocket from 'ws';
import { fail, say } from './say.js';

const socket = new WebSocket(process.argv[2]);
socket.on('open', () => say({ ready: true }));
socket.on('message', (data, isBinary) => say({ message: data.toString(), binary: isBinary }));
socket.on('error', fail);
socket.on('close', (code) => fail(`closed with ${code}`));
