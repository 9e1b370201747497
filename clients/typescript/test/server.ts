// A small model of the server: a log, connections that die at any point, resume, snapshots in parts, repetitions.
import { FakeSocket } from './sockets.js';

export interface Entry {
  readonly spotId: string;
  readonly version: number;
  readonly lotId: string;
  readonly status: string;
  readonly change: string;
}

interface Wish {
  readonly id: string;
  readonly lot?: string[];
  readonly spot?: string[];
}

export const matches = (wish: { lot?: readonly string[]; spot?: readonly string[] }, entry: Entry): boolean =>
  (wish.lot?.includes(entry.lotId) ?? true) && (wish.spot?.includes(entry.spotId) ?? true);

export class Log {
  name = 0;
  entries: Entry[] = [];
  oldest = 0; // what came before has expired

  append(spot: number): void {
    const spotId = `spot-${spot}`;
    const before = this.entries.filter((entry) => entry.spotId === spotId).at(-1);
    const version = (before?.version ?? 0) + 1;
    const change = version % 4 === 0 ? 'removed' : before === undefined || before.change === 'removed' ? 'added' : 'edited';
    this.entries.push({ spotId, version, lotId: `lot-${spot % 2}`, status: 'free', change });
  }

  /** The topic is made anew. */
  replace(): void {
    this.name++;
    this.entries = [];
    this.oldest = 0;
  }

  cursor = (offset = this.entries.length): string => `${this.name}:${offset}`;

  offset(cursor: string): number | undefined {
    const [name, offset] = cursor.split(':').map(Number);
    return name === this.name ? offset : undefined;
  }

  /** The newest entry of each spot that is there, as of an offset. */
  state(wish: Parameters<typeof matches>[0], offset: number): Entry[] {
    const newest = new Map<string, Entry>();
    for (const entry of this.entries.slice(0, offset)) newest.set(entry.spotId, entry);
    return [...newest.values()].filter((entry) => entry.change !== 'removed' && matches(wish, entry));
  }
}

/** One connection. Frames are in flight until they are delivered, and lost with it. */
export class Peer {
  readonly #wishes = new Map<string, Wish>();
  #position: number;
  #read = 0; // of what the client said
  #joining: { readonly wish: Wish; readonly offset: number; readonly rest: Entry[] } | undefined;
  #taken: number; // where it stood at the newest subscription
  readonly frames: object[] = [];

  constructor(readonly socket: FakeSocket, private readonly log: Log) {
    this.#position = this.#taken = log.entries.length;
    this.frames.push({ type: 'Welcome', protocol: 'parkwire.v1', cursor: log.cursor(), heartbeatMs: 10_000 });
  }

  /** Reads the next message of the client. One that waits for its snapshot is answered before the next is read. */
  read(): boolean {
    if (this.#joining) return false;
    const message = this.socket.said[this.#read];
    if (!message) return false;
    this.#read++;
    this.follow(); // what is before it is sent before it
    if (message.type === 'Unsubscribe') this.#wishes.delete(message.id);
    if (message.type === 'Subscribe') this.#subscribe(message as Wish & { after?: string; snapshot?: boolean });
    return true;
  }

  #subscribe({ after, snapshot, ...wish }: Wish & { after?: string; snapshot?: boolean }): void {
    const { log, frames } = this;
    const from = after === undefined ? undefined : log.offset(after);
    if (after !== undefined && (from === undefined || from < log.oldest)) {
      const reason = from === undefined ? 'other-log' : 'cursor-expired';
      if (!snapshot) {
        frames.push({ type: 'Error', code: reason === 'other-log' ? 'invalid-cursor' : reason, message: '', id: wish.id });
        return;
      }
      frames.push({ type: 'Subscribed', id: wish.id, cursor: log.cursor() }, { type: 'Reset', id: wish.id, reason });
      this.#joining = { wish, offset: this.#position, rest: log.state(wish, this.#position) };
    } else {
      frames.push({ type: 'Subscribed', id: wish.id, cursor: after ?? log.cursor() });
      if (from === undefined && snapshot) this.#joining = { wish, offset: this.#position, rest: log.state(wish, this.#position) };
      else this.#take(wish, from ?? this.#position);
    }
  }

  #take(wish: Wish, from: number): void {
    this.#send(from, this.#position, (entry) => matches(wish, entry), wish.id);
    this.#wishes.set(wish.id, wish);
    this.#taken = this.#position;
  }

  /** Sends what happened since, and then a part of the snapshot that somebody waits for. */
  follow(): void {
    const from = this.#position;
    this.#position = this.log.entries.length;
    this.#send(from, this.#position, (entry) => this.#wanted(entry));
    this.frames.push({ type: 'Heartbeat', cursor: this.log.cursor() });
    if (!this.#joining) return;
    const { wish, offset, rest } = this.#joining;
    const events = rest.splice(0, 2);
    if (rest.length > 0) return void this.frames.push({ type: 'Snapshot', id: wish.id, events });
    this.frames.push({ type: 'Snapshot', id: wish.id, events, complete: true, cursor: this.log.cursor(offset) });
    this.#joining = undefined;
    this.#take(wish, offset);
  }

  /** Goes on with the snapshot that somebody waits for, if any. */
  waits(): boolean {
    if (!this.#joining) return false;
    this.follow();
    return true;
  }

  /** Sends again what was sent since the newest subscription. */
  repeat(entries: number): void {
    this.follow();
    this.#send(Math.max(this.#taken, this.#position - entries), this.#position, (entry) => this.#wanted(entry));
  }

  #wanted(entry: Entry): boolean {
    return [...this.#wishes.values()].some((wish) => matches(wish, entry));
  }

  #send(from: number, to: number, wanted: (entry: Entry) => boolean, id?: string): void {
    for (let at = from; at < to; at += 3) {
      const end = Math.min(at + 3, to);
      const events = this.log.entries.slice(at, end).filter(wanted);
      if (events.length > 0) this.frames.push({ type: 'Events', id, events, cursor: this.log.cursor(end) });
    }
  }

  deliver(): boolean {
    const frame = this.frames.shift();
    if (frame) this.socket.say(frame);
    return frame !== undefined;
  }
}
