// What stands outside for receivers of webhooks and for a push service.
import { createServer } from 'node:http';

/** Keeps what it is sent. */
export async function startReceiver() {
  const got = [];
  const server = createServer(async (request, answer) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    got.push({ path: request.url, headers: request.headers, body: Buffer.concat(parts) });
    answer.writeHead(201).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const of = (path) => got.filter((each) => each.path === path);
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    of,
    /** The first that came there, when it has come. */
    async first(path) {
      for (const deadline = Date.now() + 60_000; of(path).length === 0; await new Promise((resolve) => setTimeout(resolve, 50))) {
        if (Date.now() > deadline) throw new Error(`nothing came to ${path} within a minute`);
      }
      return of(path)[0];
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** In the page: a subscription at a push service of ours, with keys as a browser makes them. Chromium asks one of its maker's otherwise. */
export function subscribeTo(endpoint) {
  let subscription = null;
  const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  PushManager.prototype.getSubscription = async () => subscription;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    const { publicKey } = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const keys = { p256dh: text(await crypto.subtle.exportKey('raw', publicKey)), auth: text(crypto.getRandomValues(new Uint8Array(16))) };
    subscription = { endpoint, options: { applicationServerKey: applicationServerKey.buffer }, toJSON: () => ({ endpoint, expirationTime: null, keys }), unsubscribe: async () => ((subscription = null), true) };
    return subscription;
  };
}

/** Chromium delivers to the worker of the page what a push service would have, once it is decrypted. Returns what is then shown: title, text and where it leads. */
export async function deliver(context, page, data) {
  const session = await context.newCDPSession(page);
  const registration = new Promise((resolve) => session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && resolve(registrations[0])));
  await session.send('ServiceWorker.enable');
  const { registrationId } = await registration;
  await session.send('ServiceWorker.deliverPushMessage', { origin: new URL(page.url()).origin, registrationId, data: JSON.stringify(data) });
  for (;;) { // the test's own bound ends it
    const shown = await page.evaluate(async () => {
      const [notification] = await (await navigator.serviceWorker.ready).getNotifications();
      return notification ? [notification.title, notification.body, notification.data.path] : null;
    });
    if (shown) return shown;
    await page.waitForTimeout(100);
  }
}
