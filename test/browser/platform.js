// The platforms under the tests: one process, `parkwire all` or `parkwire demo`, or the distributed stack behind NGINX.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The binary under test: the one that PARKWIRE_TEST_BINARY names, or one that is built from this tree. */
function binary(folder) {
  if (process.env.PARKWIRE_TEST_BINARY) return process.env.PARKWIRE_TEST_BINARY;
  const path = join(folder, 'parkwire');
  execFileSync('go', ['build', '-o', path, './cmd/parkwire'], { cwd: root, stdio: 'inherit' });
  return path;
}

/** The environment without what configures Parkwire. */
const environment = (...also) => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PARKWIRE_') || also.includes(name)));

/** A port below those that the system gives to outgoing connections, so that it is still free when the platform starts again. */
function freePort() {
  return new Promise((resolve) => {
    const port = 10_240 + Math.floor(Math.random() * 22_000);
    const server = createServer().on('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

/** What tests do at a platform, wherever it runs. */
class Operated {
  #token;

  /** One REST request as an administrator, at an address of the platform; throws unless it succeeds. */
  async request(method, path, body, url = this.url) {
    this.#token ??= await this.token('--scope', 'admin');
    const answer = await fetch(url + path, {
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
  act(spotId, action, url) {
    return this.request('POST', `/api/v1/spots/${spotId}/${action}`, undefined, url);
  }
}

/** One process on free loopback ports, that can be killed and started again on the same data. */
export class Platform extends Operated {
  #folder = mkdtempSync(join(tmpdir(), 'parkwire-browser-'));
  #binary = binary(this.#folder);
  #child;
  #said = [];
  #command;
  #arguments;

  /** Starts `parkwire all` on new ports and an empty data folder. more: further arguments, given the address at which it will be. */
  static start(more = async () => []) {
    return Platform.#start('all', more);
  }

  /** The same as `parkwire demo`. Returns when its city is there. */
  static async demo(...settings) {
    const platform = await Platform.#start('demo', async () => settings);
    const built = async () => (await platform.request('GET', '/api/v1/lots?limit=1000')).items.filter(({ counts }) => counts.total > 100).length === 8;
    for (const deadline = Date.now() + 120_000; !(await built()); await pause(50)) if (Date.now() > deadline) throw new Error(`there is no city:\n${platform.said}`);
    return platform;
  }

  static async #start(command, more) {
    const platform = new Platform();
    platform.listen = `127.0.0.1:${await freePort()}`;
    platform.admin = `127.0.0.1:${await freePort()}`;
    platform.kafka = `127.0.0.1:${await freePort()}`;
    platform.url = `http://${platform.listen}`;
    platform.#command = command;
    platform.#arguments = await more(platform.url);
    await platform.restart();
    return platform;
  }

  /** Starts the process (again) and waits until it is ready. */
  async restart() {
    const data = join(this.#folder, 'data');
    this.#child = spawn(
      this.#binary,
      [this.#command, '--data-dir', data, '--listen', this.listen, '--admin-listen', this.admin, '--kafka-listen', this.kafka, ...this.#arguments],
      { env: environment(), cwd: this.#folder },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.on('data', (text) => this.#said.push(String(text)));
    for (const deadline = Date.now() + 120_000; ; ) { // a machine may be busy
      const ready = await fetch(`http://${this.admin}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return;
      if (this.#child.exitCode !== null || Date.now() > deadline) throw new Error(`the platform is not ready:\n${this.said}`);
      await pause(20);
    }
  }

  /** A token of the platform's own key. */
  token(...options) {
    return execFileSync(this.#binary, ['token', '--data-dir', join(this.#folder, 'data'), ...options], { env: environment() }).toString().trim();
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
}

/** Whether the servers are there that the distributed stack stands on; where they must be, they are taken to be. */
export const hasServers = process.env.PARKWIRE_TEST_DISTRIBUTED === '1'
  || ['KAFKA_BROKERS', 'REDIS_URL', 'DATABASE_URL'].every((name) => process.env[`PARKWIRE_TEST_${name}`]);

/** NGINX in front of two gateways, two parking and two notification processes, history and alerts, on real servers: the program of ./distributed. */
export class Distributed extends Operated {
  #folder = mkdtempSync(join(tmpdir(), 'parkwire-browser-'));
  #child;
  #answers;
  #turn = Promise.resolve();
  #said = [];

  static async start() {
    const stack = new Distributed();
    const program = join(stack.#folder, 'distributed');
    execFileSync('go', ['build', '-o', program, './test/browser/distributed'], { cwd: root, stdio: 'inherit' });
    stack.#child = spawn(program, { env: process.env, stdio: ['pipe', 'pipe', 'pipe'] });
    stack.#child.stderr.on('data', (text) => stack.#said.push(String(text)));
    stack.#answers = createInterface({ input: stack.#child.stdout })[Symbol.asyncIterator]();
    Object.assign(stack, await stack.#answer()); // url, and the url of each process by its name
    return stack;
  }

  /** Ends one of the processes without warning: "gateway 1", "notifications 2" … */
  kill(node) {
    return this.#order({ do: 'kill', node });
  }

  /** Ends NGINX, which cuts everybody off. */
  cut() {
    return this.#order({ do: 'stop', node: 'nginx' });
  }

  /** Starts one of the processes again, and waits until it is ready. */
  restart(node) {
    return this.#order({ do: 'start', node });
  }

  /** A token of the platform's own key. */
  async token(...options) {
    return (await this.#order({ do: 'run', args: ['token', ...options] })).said;
  }

  async stop() {
    const ended = this.#child.exitCode === null && once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** One at a time, as answers have no number. */
  #order(order) {
    const answered = this.#turn.then(() => {
      this.#child.stdin.write(`${JSON.stringify(order)}\n`);
      return this.#answer();
    });
    this.#turn = answered.catch(() => undefined);
    return answered;
  }

  async #answer() {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the distributed stack has ended:\n${this.#said.join('')}`);
    return JSON.parse(value);
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
