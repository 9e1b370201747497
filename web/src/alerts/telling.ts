// Who is signed in is told of their alerts while a page is open. Of all tabs of a subject one keeps the stream, as browsers open few connections to one
// host; it tells the others.
import { batch, signal } from '@preact/signals';
import type { Account } from '../identity/account';
import type { Person } from '../identity/person';
import type { Session } from '../live/session';
import { AlertsApi, isAbsent } from './api';
import { notify } from './notify';
import { lastSeen, rememberSeen } from './seen';
import { share } from './sharing';
import { AlertStream, type StreamState } from './stream';
import { unreadCount } from './unread';
import type { Decision } from './wire';

/** How many are kept of what was told, and how many of these wait in the page to be dismissed. */
const kept = 200;
const waiting = 20;
const firstPage = 50;
const firstRetry = 1_000; // milliseconds
const longestRetry = 60_000;

/** What tabs tell each other. */
type Word =
  | { readonly type: 'alert'; readonly decision: Decision }
  | { readonly type: 'state'; readonly state: StreamState }
  | { readonly type: 'seen'; readonly sequence: number }
  | { readonly type: 'hello' };

export class Telling {
  readonly #told = signal<readonly Decision[]>([]);
  readonly #standing = signal<readonly Decision[]>([]);
  readonly #state = signal<StreamState>('connecting');
  readonly #api: AlertsApi;
  #subject = '';
  #seen = 0; // the sequence up to which alerts were seen in the list
  #ended = new AbortController();
  #stream: AlertStream | undefined; // of the tab that keeps it
  #say: (word: Word) => void = () => undefined;
  #begun = false; // whether it is known what was told before

  constructor(private readonly session: Session) {
    this.#api = new AlertsApi(session.api);
  }

  /** What was told, the newest first. */
  get told() {
    return this.#told;
  }

  /** What was told while the page is open and is still to be shown, the newest first. */
  get standing() {
    return this.#standing;
  }

  get state() {
    return this.#state;
  }

  /** Up to which sequence they were seen in the list; undefined: not known yet. */
  get seen(): number | undefined {
    return this.#begun ? this.#seen : undefined;
  }

  /** This person cares for alerts: what is told while no page is open is unread in the next one. */
  keepPlace(): void {
    if (this.#begun) rememberSeen(this.#subject, this.#seen);
  }

  /** Begins for this person. Returns what ends it. */
  begin(person: Person, account: Account): () => void {
    this.#ended = new AbortController();
    this.#subject = person.subject;
    const { signal: ended } = this.#ended;
    const name = `parkwire alerts ${JSON.stringify([person.subject, person.lots ?? null])}`;
    const begun = this.#catchUp(ended);
    const lead = async () => {
      await begun;
      for (let failures = 0; !this.#begun && !ended.aborted; failures++) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(longestRetry, firstRetry * 2 ** failures)));
        await this.#catchUp(ended);
      }
      if (!ended.aborted) await this.#lead(account, ended);
    };
    this.#say = share<Word>(name, ended, (word) => this.#hear(word), lead);
    this.#say({ type: 'hello' });
    return () => this.#end();
  }

  /** Takes it from the page; it stays in the list. */
  dismiss(decision?: Decision): void {
    this.#standing.value = decision === undefined ? [] : this.#standing.peek().filter(({ id }) => id !== decision.id);
  }

  /** Everything that was told up to now has been seen in the list. */
  see(): void {
    const sequence = this.#told.peek()[0]?.sequence ?? 0;
    if (sequence <= this.#seen) return;
    this.#say({ type: 'seen', sequence });
    this.#setSeen(sequence);
  }

  /** Makes sure that nothing was missed, as after a sleep. */
  async wake(): Promise<void> {
    this.#stream?.wake();
    if (this.#subject !== '') await this.#catchUp(this.#ended.signal);
  }

  #end(): void {
    this.#ended.abort();
    this.#stream = undefined;
    this.#subject = '';
    this.#begun = false;
    this.#seen = 0;
    batch(() => {
      this.#told.value = this.#standing.value = [];
      this.#state.value = 'connecting';
      unreadCount.value = 0;
    });
  }

  async #lead(account: Account, ended: AbortSignal): Promise<void> {
    const stream = (this.#stream = new AlertStream({
      request: (...args) => fetch(...args),
      token: () => this.session.api.token(),
      refused: () => account.check(),
      alert: (decision) => {
        this.#take(decision);
        this.#say({ type: 'alert', decision }); // also what this tab has read from the list by now: others may not have
        void notify(decision);
      },
      reset: () => void this.#catchUp(ended),
      changed: (state) => {
        this.#state.value = state;
        this.#say({ type: 'state', state });
      },
    }));
    await stream.run(this.#told.peek()[0]?.sequence ?? 0, ended);
  }

  #hear(word: Word): void {
    if (word.type === 'alert') this.#take(word.decision);
    if (word.type === 'seen') this.#setSeen(word.sequence);
    if (word.type === 'state') this.#state.value = word.state;
    if (word.type === 'hello' && this.#stream) this.#say({ type: 'state', state: this.#state.peek() });
  }

  /** Reads what was told. What came since the page knows of some is shown in it. */
  async #catchUp(ended: AbortSignal): Promise<void> {
    const page = await this.#api.decisions({ limit: firstPage }).catch((error: unknown) => {
      if (!ended.aborted) this.#state.value = isAbsent(error) ? 'absent' : 'waiting';
      return undefined;
    });
    if (!page || ended.aborted) return;
    const show = this.#begun;
    this.#begun = true;
    if (!show) this.#seen = lastSeen(this.#subject) ?? page.items[0]?.sequence ?? 0; // who comes for the first time has nothing behind them
    batch(() => {
      for (const decision of [...page.items].reverse()) this.#take(decision, show);
      this.#count();
    });
  }

  #take(decision: Decision, show = true): void {
    const told = this.#told.peek();
    if (told.some(({ id }) => id === decision.id)) return;
    const news = decision.sequence > (told[0]?.sequence ?? 0);
    batch(() => {
      this.#told.value = [decision, ...told].sort((a, b) => b.sequence - a.sequence).slice(0, kept);
      if (show && news) this.#standing.value = [decision, ...this.#standing.peek()].slice(0, waiting);
      this.#count();
    });
  }

  #setSeen(sequence: number): void {
    this.#seen = Math.max(this.#seen, sequence);
    rememberSeen(this.#subject, this.#seen);
    this.#count();
  }

  #count(): void {
    unreadCount.value = this.#told.peek().filter(({ sequence }) => sequence > this.#seen).length;
  }
}

const tellings = new WeakMap<Session, Telling>();

/** The one of this session. */
export function tellingOf(session: Session): Telling {
  let telling = tellings.get(session);
  if (!telling) tellings.set(session, (telling = new Telling(session)));
  return telling;
}
