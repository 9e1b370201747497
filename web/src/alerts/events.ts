// Server-sent events, read from text as it comes.

export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

/** Puts events together from pieces of a stream, however it was cut. */
export class EventReader {
  /** How long the server asks to wait before the next stream, in milliseconds. */
  retry: number | undefined;

  #rest = '';
  #type = '';
  #data: string[] = [];

  /** Takes a piece and returns the events that are whole by now. */
  read(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/); // a return at the end may be half of a line's end
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    if (field === 'data') this.#data.push(value);
    if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return undefined; // comments, ids: an alert says its place itself
  }

  #end(): ServerEvent | undefined {
    const event = { type: this.#type || 'message', data: this.#data.join('\n') };
    const whole = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    return whole ? event : undefined;
  }
}
