import { afterEach, describe, expect, test, vi } from 'vitest';
import { EventReader } from '../src/alerts/events';
import { AlertStream, type StreamState } from '../src/alerts/stream';
import type { Decision } from '../src/alerts/wire';

afterEach(() => vi.useRealTimers());

describe('server-sent events', () => {
  const text = ': hello\n\nevent: alert\nid: 7\ndata: {"a":1}\n\ndata: one\r\ndata:two\r\n\r\nretry: 1500\n\nevent: alert\n\n';
  const whole = [{ type: 'alert', data: '{"a":1}' }, { type: 'message', data: 'one\ntwo' }];

  test('are the same however the stream is cut', () => {
    for (let size = 1; size < 12; size++) {
      const reader = new EventReader();
      const events = [];
      for (let i = 0; i < text.length; i += size) events.push(...reader.read(text.slice(i, i + size)));
      expect(events, `pieces of ${size}`).toEqual(whole);
      expect(reader.retry).toBe(1500);
    }
  });
});

/** A platform whose streams a test writes. */
class Streams {
  readonly asked: string[] = [];
  answers: (() => Response)[] = [];
  #write: ReadableStreamDefaultController<Uint8Array> | undefined;

  readonly request: typeof fetch = async (address, init) => {
    this.asked.push(String(address));
    const signal = init?.signal;
    const made = this.answers.shift()?.();
    if (made) return made;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#write = controller) });
    signal?.addEventListener('abort', () => this.#write?.error(new Error('aborted')));
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };

  say(text: string): void {
    this.#write!.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#write!.close();
  }
}

test('a tab that waits for a sign-in leaves the stream to others when it ends', async () => {
  const ended = new AbortController();
  const asked: string[] = [];
  const stream = new AlertStream({
    request: (async (address: string) => (asked.push(address), new Response())) as typeof fetch,
    token: () => new Promise(() => {}), // until somebody signs in
    refused: async () => undefined, reset: () => undefined, alert: () => undefined, changed: () => undefined,
  });
  const done = stream.run(0, ended.signal);
  await Promise.resolve();
  ended.abort();
  await done;
  expect(asked).toEqual([]);
});

const alertOf = (sequence: number) => `event: alert\nid: ${sequence}\ndata: ${JSON.stringify({ id: `d${sequence}`, sequence })}\n\n`;

function start(streams: Streams, after = 0) {
  const told: number[] = [];
  const states: StreamState[] = [];
  const ended = new AbortController();
  const refused = vi.fn(async () => undefined);
  const reset = vi.fn();
  const stream = new AlertStream({
    request: streams.request, token: async () => 't', refused, reset, alert: (decision: Decision) => told.push(decision.sequence), changed: (state) => states.push(state),
  });
  const done = stream.run(after, ended.signal);
  return { told, states, refused, reset, stream, end: async () => (ended.abort(), done) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('the stream of alerts', () => {
  test('goes on behind the last alert that came', async () => {
    vi.useFakeTimers();
    const streams = new Streams();
    const { told, states, end } = start(streams, 4);
    await settle();
    streams.say(alertOf(5) + alertOf(6).slice(0, 10));
    await settle();
    streams.say(alertOf(6).slice(10));
    await settle();
    streams.end();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(told).toEqual([5, 6]);
    expect(streams.asked).toEqual(['/api/v1/alerts/stream?after=4', '/api/v1/alerts/stream?after=6']);
    expect(states.slice(0, 4)).toEqual(['connecting', 'open', 'waiting', 'connecting']);
    await end();
  });

  test('that says nothing for too long is opened again', async () => {
    vi.useFakeTimers();
    const streams = new Streams();
    const { end } = start(streams);
    await settle();
    await vi.advanceTimersByTimeAsync(30_000);
    streams.say(': beat\n');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(streams.asked, 'a comment is enough').toHaveLength(1);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(streams.asked).toHaveLength(2);
    await end();
  });

  test('is opened at once after a sleep', async () => {
    vi.useFakeTimers();
    const streams = new Streams();
    const { stream, end } = start(streams);
    await settle();
    vi.setSystemTime(Date.now() + 3_600_000);
    stream.wake();
    await vi.advanceTimersByTimeAsync(0); // at once, without a pause between attempts
    expect(streams.asked).toHaveLength(2);
    await end();
  });

  test('asks what to do where the token is refused, and rests where there is no service', async () => {
    vi.useFakeTimers();
    const streams = new Streams();
    streams.answers = [() => new Response('{}', { status: 401 }), () => new Response('{"type":"urn:parkwire:problem:service-not-configured"}', { status: 503 })];
    const { refused, states, end } = start(streams);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(refused).toHaveBeenCalledOnce();
    expect(states.at(-1)).toBe('absent');
    expect(streams.asked).toHaveLength(2);
    await end();
  });

  test('says that something is missing where it cannot go on from there', async () => {
    vi.useFakeTimers();
    const streams = new Streams();
    const { reset, end } = start(streams, 9);
    await settle();
    streams.say('event: reset\ndata: {"reason":"expired"}\n\n');
    await settle();
    expect(reset).toHaveBeenCalledOnce();
    await end();
  });
});
