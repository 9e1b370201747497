// Who looks at the page: signs them in and out, and keeps the access token fresh.
import { batch, computed, signal } from '@preact/signals';
import type { Credentials } from '../live/api';
import { ProblemError } from '../live/http';
import { askAgain, Entrance } from './entrance';
import { begin, farewell, ofTyped, redeem, refresh, revoke, SignInError, type Tokens } from './flow';
import { may, personOf, type Person, type Scope } from './person';
import { claim, type Kept, type TabStorage } from './storage';

/** Why somebody is not signed in who was or wanted to be. Detail is in the words of who refused it. */
export interface Setback {
  readonly reason: 'ended' | 'expired' | 'refused' | 'failed' | 'unreachable' | 'duplicate';
  readonly detail?: string;
}

/** What the page around it does. */
export interface Surroundings {
  readonly storage: TabStorage;
  readonly request: typeof fetch;
  readonly origin: string;
  /** Leaves the page for another address. */
  readonly leave: (address: string) => void;
  /** Absent where the page is not encrypted, as most of cryptography is. */
  readonly locks: LockManager | undefined;
  readonly secure: boolean;
}

/** Where the provider sends the browser back to. */
export const arrivalPath = '/signed-in';

/** After a refusal, in milliseconds. Tokens know when they were issued by the second: one of the second in which all before were revoked is refused too. */
const afterRefusal = 1_000;
const longestTimer = 0x7fff_ffff; // that a browser can set

export class Account implements Credentials {
  readonly #entrance: Entrance;
  readonly #tokens = signal<Tokens | undefined>(undefined);
  readonly #setback = signal<Setback | undefined>(undefined);
  #known: Tokens | undefined; // the tokens of which the platform has said whose they are
  #kept: string; // what this page goes on with after a reload, as the tab has it
  #refused = 0; // when the platform last refused a token
  #shown: string | undefined; // as whom the page was shown last
  #beginning: Promise<void> | undefined;
  #settling: Promise<void> | undefined;
  #ending: ReturnType<typeof setTimeout> | undefined;

  /** changed is called when the page is somebody else's from now on, or nobody's: what was shown to the one before is to be forgotten. */
  constructor(private readonly surroundings: Surroundings, private readonly arrival: URLSearchParams | undefined, private readonly changed: () => void) {
    this.#entrance = new Entrance(surroundings.request, surroundings.secure);
    this.#kept = JSON.stringify(surroundings.storage.kept ?? null);
  }

  /** Who is signed in; undefined: nobody, or it is not known yet. */
  readonly person = computed<Person | undefined>(() => {
    const tokens = this.#tokens.value;
    const principal = tokens?.access ? this.#entrance.said.value?.principal : undefined;
    return principal && personOf(principal, tokens?.name);
  });

  /** Whether one must sign in to see anything. */
  readonly locked = computed(() => this.#entrance.said.value?.readPublic === false && this.#tokens.value === undefined);

  /** Whether everybody may look; undefined: not known yet. */
  readonly isPublic = computed(() => this.#entrance.said.value?.readPublic);

  /** Whether the one who looks is limited to no lots. */
  readonly seesAll = computed(() => this.person.value?.lots === undefined);

  /** How one signs in here; undefined: not known yet. */
  get way() {
    return this.#entrance.way;
  }

  get setback() {
    return this.#setback;
  }

  /** When one will have to sign in again (epoch, milliseconds); undefined where nobody knows, or the page refreshes its token by itself. */
  readonly endsAt = computed(() => {
    const { refresh, expires = Infinity } = this.#tokens.value ?? {};
    return refresh !== undefined || expires === Infinity ? undefined : expires;
  });

  /** Whether the one who is signed in may do what needs the scope, in this lot. */
  may(scope: Scope, lotId: string): boolean {
    return may(this.person.value, scope, lotId);
  }

  /** Whether there is anything for which the one who is signed in may do what needs the scope. */
  mayAnywhere(scope: Scope): boolean {
    return may(this.person.value, scope);
  }

  /** Waits as long as one must sign in first. While the provider is away, a page that everybody may see goes on as nobody's. */
  async token(): Promise<string | undefined> {
    await (this.#beginning ??= this.#begin().catch((error: unknown) => {
      this.#beginning = undefined;
      throw error;
    }));
    await this.#settle();
    if (this.locked.peek()) await this.#unlocked();
    return this.#tokens.peek()?.access || undefined;
  }

  who(): string | undefined {
    return this.person.peek()?.subject;
  }

  refused(token: string | undefined): void {
    const tokens = this.#tokens.peek();
    if (token === undefined && !tokens) void this.#entrance.learn().catch(() => undefined); // one must sign in now who need not before
    if (!tokens || tokens.access !== token) return; // there is another one already
    if (tokens.refresh === undefined) return this.#end({ reason: 'refused' });
    this.#refused = Date.now();
    this.#tokens.value = { ...tokens, due: 0, expires: 0 };
  }

  /** Finds out whether the platform still takes the token: a stream that is refused does not say why. */
  async check(): Promise<void> {
    const token = this.#tokens.peek()?.access;
    if (!token) return;
    await this.#entrance.ask(token).catch((error: unknown) => {
      if (isRefusal(error)) this.refused(token);
    });
  }

  /** Goes to the provider. It sends the browser back to the page where it is now. */
  async signIn(back: string): Promise<void> {
    const { client } = this.#entrance;
    if (!client || !this.surroundings.secure) return;
    const { address, attempt } = await begin(client, this.#redirect, back);
    this.surroundings.storage.attempt = attempt;
    this.surroundings.leave(address);
  }

  /** Takes a token that somebody typed in. */
  async useToken(typed: string): Promise<void> {
    this.#setback.value = undefined;
    this.#remember({ id: '', typed });
    this.#take(ofTyped(typed));
    await this.#settle();
    if (this.#tokens.peek() !== this.#known) await this.#settle(); // the one before was under way
  }

  signOut(): void {
    const { request, leave, origin } = this.surroundings;
    const { client } = this.#entrance;
    const { refresh, id } = this.#tokens.peek() ?? {};
    this.#remember(undefined);
    if (client && refresh !== undefined) revoke(client, refresh, request);
    const provided = refresh !== undefined || id !== undefined;
    this.#forget(); // browsers keep the page as it is left, and show it again at "back"
    leave((provided && client && farewell(client, `${origin}/`, id)) || '/');
  }

  /**
   * The browser shows this page again as it was left. False: meanwhile the tab was signed out, or goes on otherwise. Then this page has forgotten who
   * was here, and is to be loaded anew.
   */
  returned(): boolean {
    if (JSON.stringify(this.surroundings.storage.kept ?? null) === this.#kept) return true;
    this.#forget();
    return false;
  }

  dismiss(): void {
    this.#setback.value = undefined;
  }

  get #redirect(): string {
    return this.surroundings.origin + arrivalPath;
  }

  /** Learns how one signs in here, and who is signed in already: who comes back from the provider, or was before the page was loaded again. */
  async #begin(): Promise<void> {
    const { storage, request, locks } = this.surroundings;
    await this.#entrance.learn();
    const attempt = storage.takeAttempt();
    const { client } = this.#entrance;
    if (this.arrival) {
      try {
        if (!attempt) throw new SignInError('answer', 'It was not begun in this tab.');
        if (!client) throw new SignInError('unreachable');
        this.#keep(await redeem(client, this.#redirect, attempt, this.arrival, request), crypto.randomUUID());
        return;
      } catch (error) {
        if (!(error instanceof SignInError)) throw error;
        this.#setback.value = setback(error);
      }
    }
    const { kept } = storage;
    if (kept?.typed !== undefined) return this.#take(ofTyped(kept.typed));
    if (kept?.refresh === undefined || !this.#entrance.said.peek()?.login) return;
    if (await claim(kept.id, locks)) return this.#take({ access: '', expires: 0, due: 0, refresh: kept.refresh });
    this.#remember(undefined);
    this.#setback.value = { reason: 'duplicate' };
  }

  /** Sees to it that the token is fresh, and that it is known whose it is. */
  #settle(): Promise<void> {
    return (this.#settling ??= this.#refresh()
      .then(() => this.#recognize())
      .then(() => this.#tell())
      .finally(() => (this.#settling = undefined)));
  }

  async #refresh(): Promise<void> {
    const tokens = this.#tokens.peek();
    const { client } = this.#entrance;
    if (tokens?.refresh === undefined || Date.now() < tokens.due) return;
    const wait = this.#refused + afterRefusal - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      if (!client) throw new SignInError('unreachable');
      const fresh = await refresh(client, tokens.refresh, this.surroundings.request);
      if (this.#hasLeft(tokens)) return revoke(client, fresh.refresh!, this.surroundings.request);
      this.#keep({ ...(tokens.name !== undefined && { name: tokens.name }), ...fresh }, this.surroundings.storage.kept?.id ?? crypto.randomUUID());
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      if (this.#hasLeft(tokens)) return;
      if (error.code !== 'unreachable') return this.#end(setback(error, 'ended'));
      if (Date.now() < tokens.expires) return; // it does for now
      this.#setback.value = { reason: 'unreachable' };
      if (!this.#entrance.said.peek()?.readPublic) throw new ProblemError({ title: 'The sign-in service cannot be reached', detail: 'Your sign-in goes on as soon as it answers.', cause: 'signInUnreachable' });
      this.#tokens.value = { ...tokens, access: '', due: Date.now() + askAgain };
      setTimeout(() => void this.token().catch(() => undefined), askAgain);
    }
  }

  async #recognize(): Promise<void> {
    const tokens = this.#tokens.peek();
    if (!tokens?.access || tokens === this.#known) return;
    try {
      const said = await this.#entrance.ask(tokens.access);
      if (tokens !== this.#tokens.peek()) return; // it says whose those before are
      this.#entrance.take(said);
      this.#known = tokens;
    } catch (error) {
      if (tokens !== this.#tokens.peek()) return;
      if (!isRefusal(error)) throw error;
      this.#end({ reason: 'refused', ...(error.problem.detail !== undefined && { detail: error.problem.detail }) });
    }
  }

  /** Says so where the page is somebody else's now, or somebody's who may see more or less. */
  #tell(): void {
    const { name: _, ...principal } = this.person.peek() ?? { name: '' };
    const shown = JSON.stringify(principal);
    const before = this.#shown ?? shown;
    this.#shown = shown;
    if (shown !== before) this.changed();
  }

  /** Takes tokens that this tab signed in with, and remembers what it goes on with after a reload. */
  #keep(tokens: Tokens, id: string): void {
    const { storage, locks } = this.surroundings;
    if (storage.kept?.id !== id) void claim(id, locks);
    this.#remember(tokens.refresh === undefined ? undefined : { id, refresh: tokens.refresh });
    this.#setback.value = undefined;
    this.#take(tokens);
  }

  #take(tokens: Tokens): void {
    this.#tokens.value = tokens;
    clearTimeout(this.#ending);
    const rest = tokens.expires - Date.now();
    if (tokens.refresh === undefined && rest < longestTimer) this.#ending = setTimeout(() => this.#end({ reason: 'expired' }), rest);
  }

  /** Nobody is signed in from now on, and the page says why. */
  #end(setback: Setback): void {
    this.#remember(undefined);
    this.#forget(setback);
  }

  #forget(setback?: Setback): void {
    clearTimeout(this.#ending);
    batch(() => {
      this.#entrance.forget();
      this.#known = this.#tokens.value = undefined;
      this.#setback.value = setback;
    });
    this.#tell();
  }

  #remember(kept: Kept | undefined): void {
    this.surroundings.storage.kept = kept;
    this.#kept = JSON.stringify(kept ?? null);
  }

  /** Whether somebody has signed out, or in anew, since these were held. */
  #hasLeft({ refresh }: Tokens): boolean {
    return this.#tokens.peek()?.refresh !== refresh;
  }

  #unlocked(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.locked.subscribe((locked) => {
        if (locked) return;
        resolve();
        queueMicrotask(() => stop());
      });
    });
  }
}

function setback({ code, message }: SignInError, reason: 'failed' | 'ended' = 'failed'): Setback {
  if (code === 'unreachable') return { reason: 'unreachable' };
  return { reason, detail: message || code };
}

const isRefusal = (error: unknown): error is ProblemError => error instanceof ProblemError && error.problem.status === 401;
