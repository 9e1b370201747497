// WebSockets on which a test plays the server of parkwire.v1.
import type { SocketConstructor } from 'parkwire-client';

export class FakeSocket {
  static made: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.made.at(-1)!;
  }

  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((end: { code: number }) => void) | null = null;
  onerror = null;
  closed = false;
  readonly said: Record<string, unknown>[] = [];

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  /** Behind which cursor the page asked to go on. */
  get after(): unknown {
    return this.said.findLast(({ type }) => type === 'Subscribe')?.after;
  }

  send(text: string): void {
    this.said.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The server takes the connection, and the subscription if there is one. */
  open(): void {
    this.say({ type: 'Welcome', protocol: 'parkwire.v1', cursor: 'head', heartbeatMs: 10_000 });
    this.take();
  }

  /** The server takes the subscription. */
  take(): void {
    const asked = this.said.findLast(({ type }) => type === 'Subscribe');
    if (asked) this.say({ type: 'Subscribed', id: asked.id, cursor: asked.after });
  }

  /** The server sends an event, and where the page then stands. */
  event({ cursor, ...event }: { cursor?: string }): void {
    this.say({ type: 'Events', events: [event], cursor });
  }

  heartbeat(cursor: string): void {
    this.say({ type: 'Heartbeat', cursor });
  }

  /** The server no longer has what comes after the page's cursor. */
  expire(): void {
    this.say({ type: 'Error', code: 'cursor-expired', message: '', id: this.said.findLast(({ type }) => type === 'Subscribe')!.id });
  }

  /** The server, or the network, ends it. */
  end(code = 1006): void {
    this.closed = true;
    this.onclose?.({ code });
  }
}

export const Socket: SocketConstructor = FakeSocket;
export const address = 'ws://host/notifications';
