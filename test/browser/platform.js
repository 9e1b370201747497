// A running `parkwire all` on free loopback ports, that can be killed and started again on the same data.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The binary under test: the one that PARKWIRE_TEST_BINARY names, or one that is built from this tree. */
function binary(folder) {
  if (process.env.PARKWIRE_TEST_BINARY) return process.env.PARKWIRE_TEST_BINARY;
  const path = join(folder, 'parkwire');
  execFileSync('go', ['build', '-o', path, './cmd/parkwire'], { cwd: root, stdio: 'inherit' });
  return path;
}

/** A port below those that the system gives to outgoing connections, so that it is still free when the platform starts again. */
function freePort() {
  return new Promise((resolve) => {
    const port = 10_240 + Math.floor(Math.random() * 22_000);
    const server = createServer().on('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

export class Platform {
  #folder = mkdtempSync(join(tmpdir(), 'parkwire-browser-'));
  #binary = binary(this.#folder);
  #environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PARKWIRE_')));
  #child;
  #said = [];
  #token;
  #arguments;

  /** Starts the platform on new ports and an empty data folder. more: further arguments, given the address at which it will be. */
  static async start(more = async () => []) {
    const platform = new Platform();
    platform.listen = `127.0.0.1:${await freePort()}`;
    platform.admin = `127.0.0.1:${await freePort()}`;
    platform.kafka = `127.0.0.1:${await freePort()}`;
    platform.url = `http://${platform.listen}`;
    platform.#arguments = await more(platform.url);
    await platform.restart();
    return platform;
  }

  /** Starts the process (again) and waits until it is ready. */
  async restart() {
    const data = join(this.#folder, 'data');
    this.#child = spawn(
      this.#binary,
      ['all', '--data-dir', data, '--listen', this.listen, '--admin-listen', this.admin, '--kafka-listen', this.kafka, ...this.#arguments],
      { env: this.#environment, cwd: this.#folder },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.on('data', (text) => this.#said.push(String(text)));
    for (let attempt = 0; ; attempt++) {
      const ready = await fetch(`http://${this.admin}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) break;
      if (this.#child.exitCode !== null || attempt > 1500) throw new Error(`the platform is not ready:\n${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#token ??= this.token('--scope', 'admin');
  }

  /** A token of the platform's own key. */
  token(...options) {
    return execFileSync(this.#binary, ['token', '--data-dir', join(this.#folder, 'data'), ...options], { env: this.#environment }).toString().trim();
  }

  /** What the process said so far. */
  get said() {
    return this.#said.join('');
  }

  /** Ends the process without warning. */
  kill() {
    return this.#end('SIGKILL');
  }

  async stop() {
    await this.#end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #end(signal) {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve();
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    return ended;
  }

  /** One REST request as an administrator; throws unless it succeeds. */
  async request(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** Adds a lot with free spots. */
  async addLot(id, name, spotIds) {
    await this.request('POST', '/api/v1/lots', { id, name });
    await this.request('POST', `/api/v1/lots/${id}/spots`, spotIds.map((spotId) => ({ spotId })));
  }

  /** occupy, release, close … */
  act(spotId, action) {
    return this.request('POST', `/api/v1/spots/${spotId}/${action}`);
  }
}
