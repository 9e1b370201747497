// The stream of a subject's alerts, opened again and again until it is ended. By fetch and not by EventSource, which can send no token but in the address.
import { EventReader, type ServerEvent } from './events';
import type { Decision } from './wire';

/** `absent`: this installation has no alert service, or it is for others. */
export type StreamState = 'connecting' | 'open' | 'waiting' | 'absent';

export interface StreamOptions {
  readonly request: typeof fetch;
  readonly token: () => Promise<string | undefined>;
  /** Called when the token was refused; the next attempt waits for it. */
  readonly refused: () => Promise<void>;
  readonly alert: (decision: Decision) => void;
  /** Called when what was told since cannot all come by the stream. */
  readonly reset: () => void;
  readonly changed: (state: StreamState) => void;
}

/** In milliseconds. The service says something every 15 s at the latest. */
export const pace = { silence: 40_000, first: 1_000, longest: 30_000, absent: 60_000 };

export class AlertStream {
  #heard = 0; // when something came last
  #cut: (() => void) | undefined; // ends the present stream
  #hurry: (() => void) | undefined; // ends the present pause
  #soon = false; // whether the next attempt follows at once

  constructor(private readonly options: StreamOptions) {}

  /** Runs until ended aborts, from what came behind the alert of this sequence. */
  async run(after: number, ended: AbortSignal): Promise<void> {
    const end = () => (this.#cut?.(), this.#hurry?.());
    ended.addEventListener('abort', end, { once: true });
    const place = { after };
    for (let failures = 0; !ended.aborted;) {
      this.options.changed('connecting');
      const wait = await this.#once(place, () => (failures = 0)).catch(() => undefined);
      if (ended.aborted) break;
      if (this.#soon) {
        this.#soon = false;
        continue;
      }
      this.options.changed(wait === 'absent' ? 'absent' : 'waiting');
      await this.#pause(wait === 'absent' ? pace.absent : (wait ?? backoff(failures)));
      failures++;
    }
    ended.removeEventListener('abort', end);
  }

  /** Makes sure that the stream is alive, as after a sleep, and waits no longer for the next attempt. */
  wake(): void {
    if (this.#hurry) this.#hurry();
    else if (this.#cut && Date.now() - this.#heard > pace.silence / 2) {
      this.#soon = true;
      this.#cut();
    }
  }

  /** One stream until it ends. Returns how long to wait before the next, where that was said. */
  async #once(place: { after: number }, opened: () => void): Promise<number | 'absent' | undefined> {
    const { request, token, refused, changed } = this.options;
    const cut = new AbortController();
    this.#cut = () => cut.abort();
    let watch = setTimeout(this.#cut, pace.silence);
    const alive = () => {
      this.#heard = Date.now();
      clearTimeout(watch);
      watch = setTimeout(() => cut.abort(), pace.silence);
    };
    try {
      const access = await Promise.race([token(), over(cut.signal)]); // which may wait for a sign-in, while another tab could keep the stream
      if (access === undefined) return 'absent';
      const answer = await request(`/api/v1/alerts/stream?after=${place.after}`, {
        headers: { accept: 'text/event-stream', authorization: `Bearer ${access}` }, signal: cut.signal, cache: 'no-store',
      });
      if (!answer.ok || !answer.body) {
        const said = await answer.text();
        if (answer.status === 401) await refused();
        if (answer.status === 403 || answer.status === 404 || said.includes('service-not-configured')) return 'absent';
        return Number(answer.headers.get('retry-after')) * 1000 || undefined;
      }
      alive();
      opened();
      changed('open');
      return await this.#read(answer.body, place, alive);
    } finally {
      clearTimeout(watch);
      cut.abort();
      this.#cut = undefined;
    }
  }

  async #read(body: ReadableStream<Uint8Array>, place: { after: number }, alive: () => void): Promise<number | undefined> {
    const reader = body.getReader();
    const text = new TextDecoder();
    const events = new EventReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return events.retry === undefined ? undefined : events.retry * (0.5 + Math.random());
      alive();
      for (const event of events.read(text.decode(value, { stream: true }))) this.#take(event, place);
    }
  }

  #take({ type, data }: ServerEvent, place: { after: number }): void {
    if (type === 'reset') this.options.reset();
    if (type !== 'alert') return;
    const decision = JSON.parse(data) as Decision;
    place.after = Math.max(place.after, decision.sequence);
    this.options.alert(decision);
  }

  #pause(duration: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, duration);
      this.#hurry = done;
      const self = this;
      function done() {
        clearTimeout(timer);
        self.#hurry = undefined;
        resolve();
      }
    });
  }
}

/** Fails when the signal says so. */
const over = (signal: AbortSignal): Promise<never> => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** A random part of a time that doubles with each failure, so that many pages do not come back at once. */
const backoff = (failures: number) => Math.random() * Math.min(pace.longest, pace.first * 2 ** failures);
