// WebSockets that a test opens, speaks through and ends.
import type { SocketConstructor } from '../src/line.js';

export class FakeSocket {
  static made: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.made.at(-1)!;
  }

  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message?: string }) => void) | null = null;
  closed = false;
  terminated = false;
  /** What the client said. */
  readonly said: Record<string, any>[] = [];

  constructor(readonly url: string, readonly protocols: string[]) {
    FakeSocket.made.push(this);
  }

  send(text: string): void {
    this.said.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  terminate(): void {
    this.closed = this.terminated = true;
  }

  /** The server says something. */
  say(...messages: object[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }

  welcome(cursor = 'c0'): void {
    this.say({ type: 'Welcome', protocol: 'parkwire.v1', cursor, heartbeatMs: 10_000 });
  }

  /** The server, or the network, ends it. */
  end(code = 1006, reason = ''): void {
    this.closed = true;
    this.onclose?.({ code, reason });
  }
}

export const Socket: SocketConstructor = FakeSocket;
