// WebSockets that a test opens and closes.
export class FakeSocket {
  static made: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.made.at(-1)!;
  }

  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((end: { code: number }) => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  get after(): string | null {
    return new URL(this.url, 'ws://host').searchParams.get('after');
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.onopen?.();
  }

  send(fields: object): void {
    this.onmessage?.({ data: JSON.stringify(fields) });
  }

  /** The server, or the network, ends it. */
  end(code = 1006): void {
    this.closed = true;
    this.onclose?.({ code });
  }
}

export const Socket = FakeSocket as unknown as typeof WebSocket;
