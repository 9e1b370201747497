// Who looks at the page: signs them in and out, keeps the access token fresh, and knows what they may do.
import { batch, computed, signal } from '@preact/signals';
import type { Credentials } from '../live/api';
import { ProblemError, send } from '../live/http';
import { begin, claimsOf, farewell, redeem, refresh, revoke, SignInError, type Client, type Endpoints, type Tokens } from './flow';
import { claim, type TabStorage } from './storage';

/** The scopes, each including those before it. */
const scopes = ['read', 'ingest', 'operate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** What the platform says of the one who asks: GET /api/v1/identity. */
interface Identity {
  readonly readPublic: boolean;
  readonly login?: Omit<Client, 'endpoints'> & { readonly endpoints?: Endpoints };
  readonly principal?: Principal;
}

interface Principal {
  readonly subject: string;
  readonly scopes: readonly string[];
  /** Absent: all. */
  readonly lots?: readonly string[];
}

export interface Person extends Omit<Principal, 'scopes'> {
  readonly name: string;
  /** The strongest scope, which includes those before it. */
  readonly scope: Scope | undefined;
}

/** How people sign in here: at a provider, which may be out of reach or need an encrypted page, or, where there is none, with a token that they have. */
export type Way = 'provider' | 'unreachable' | 'insecure' | 'token';

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

const askAgain = 10_000; // while the provider is out of reach, in milliseconds
/** After a refusal, in milliseconds. Tokens know when they were issued by the second: one of the second in which all before were revoked is refused too. */
const afterRefusal = 1_000;
const longestTimer = 0x7fff_ffff; // that a browser can set

export class Account implements Credentials {
  readonly #identity = signal<Identity | undefined>(undefined);
  readonly #tokens = signal<Tokens | undefined>(undefined);
  readonly #setback = signal<Setback | undefined>(undefined);
  #known: Tokens | undefined; // the tokens of which the platform has said whose they are
  #refused = 0; // when the platform last refused a token
  #shown: string | undefined; // as whom the page was shown last
  #beginning: Promise<void> | undefined;
  #settling: Promise<void> | undefined;
  #ending: ReturnType<typeof setTimeout> | undefined;

  /** changed is called when the page is somebody else's from now on, or nobody's: what was shown to the one before is to be forgotten. */
  constructor(private readonly surroundings: Surroundings, private readonly arrival: URLSearchParams | undefined, private readonly changed: () => void) {}

  /** Who is signed in; undefined: nobody, or it is not known yet. */
  readonly person = computed<Person | undefined>(() => {
    const tokens = this.#tokens.value;
    const principal = tokens?.access ? this.#identity.value?.principal : undefined;
    if (!principal) return undefined;
    const { scopes: held, ...rest } = principal;
    return { ...rest, name: tokens?.name ?? rest.subject, scope: scopes.findLast((scope) => held.includes(scope)) };
  });

  /** Whether one must sign in to see anything. */
  readonly locked = computed(() => this.#identity.value?.readPublic === false && this.#tokens.value === undefined);

  /** Whether everybody may look; undefined: not known yet. */
  readonly isPublic = computed(() => this.#identity.value?.readPublic);

  /** Undefined: not known yet. */
  readonly way = computed<Way | undefined>(() => {
    const { login } = this.#identity.value ?? {};
    if (!this.#identity.value) return undefined;
    if (!login) return 'token';
    if (!this.surroundings.secure) return 'insecure';
    return login.endpoints ? 'provider' : 'unreachable';
  });

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
    const { scope: held, lots } = this.person.value ?? {};
    return held !== undefined && scopes.indexOf(held) >= scopes.indexOf(scope) && (lots?.includes(lotId) ?? true);
  }

  /** Whether there is anything for which the one who is signed in may do what needs the scope. */
  mayAnywhere(scope: Scope): boolean {
    const { scope: held, lots } = this.person.value ?? {};
    return held !== undefined && scopes.indexOf(held) >= scopes.indexOf(scope) && lots?.length !== 0;
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

  refused(token: string): void {
    const tokens = this.#tokens.peek();
    if (tokens?.access !== token) return; // there is another one already
    if (tokens.refresh === undefined) return this.#end({ reason: 'refused' });
    this.#refused = Date.now();
    this.#tokens.value = { ...tokens, due: 0, expires: 0 };
  }

  /** Finds out whether the platform still takes the token: a stream that is refused does not say why. */
  async check(): Promise<void> {
    const token = this.#tokens.peek()?.access;
    if (!token) return;
    await send(this.surroundings.request, 'GET', '/api/v1/identity', token).catch((error: unknown) => {
      if (isRefusal(error)) this.refused(token);
    });
  }

  /** Goes to the provider. It sends the browser back to the page where it is now. */
  async signIn(back: string): Promise<void> {
    const client = this.#client();
    if (!client || !this.surroundings.secure) return;
    const { address, attempt } = await begin(client, this.#redirect, back);
    this.surroundings.storage.attempt = attempt;
    this.surroundings.leave(address);
  }

  /** Takes a token that somebody typed in. */
  async useToken(typed: string): Promise<void> {
    this.#setback.value = undefined;
    this.surroundings.storage.kept = { id: '', typed };
    this.#take(ofTyped(typed));
    await this.#settle();
  }

  signOut(): void {
    const { storage, request, leave, origin } = this.surroundings;
    const client = this.#client();
    const { refresh, id } = this.#tokens.peek() ?? {};
    storage.kept = undefined;
    if (client && refresh !== undefined) revoke(client, refresh, request);
    const provided = refresh !== undefined || id !== undefined;
    leave((provided && client && farewell(client, `${origin}/`, id)) || '/'); // and what was seen goes with the page
  }

  dismiss(): void {
    this.#setback.value = undefined;
  }

  get #redirect(): string {
    return this.surroundings.origin + arrivalPath;
  }

  #client(): Client | undefined {
    const { login } = this.#identity.peek() ?? {};
    return login?.endpoints && { ...login, endpoints: login.endpoints };
  }

  /** Learns how one signs in here, and who is signed in already: who comes back from the provider, or was before the page was loaded again. */
  async #begin(): Promise<void> {
    const { storage, request, locks } = this.surroundings;
    await this.#learn();
    const attempt = storage.takeAttempt();
    const client = this.#client();
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
    if (kept?.refresh === undefined || !this.#identity.peek()?.login) return;
    if (await claim(kept.id, locks)) return this.#take({ access: '', expires: 0, due: 0, refresh: kept.refresh });
    storage.kept = undefined;
    this.#setback.value = { reason: 'duplicate' };
  }

  /** Asks how one signs in, and again as long as the provider is out of reach. */
  async #learn(): Promise<void> {
    const identity = await send<Identity>(this.surroundings.request, 'GET', '/api/v1/identity', undefined).catch((error: unknown): Identity => {
      if (error instanceof ProblemError && error.problem.status === 404) return { readPublic: true }; // a platform that is older than this page
      throw error;
    });
    const { principal = this.#identity.peek()?.principal, ...rest } = identity;
    this.#identity.value = principal ? { ...rest, principal } : rest;
    if (identity.login && !identity.login.endpoints) this.#learnAgain();
  }

  #learnAgain(): void {
    setTimeout(() => void this.#learn().catch(() => this.#learnAgain()), askAgain);
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
    const client = this.#client();
    if (tokens?.refresh === undefined || Date.now() < tokens.due) return;
    const wait = this.#refused + afterRefusal - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      if (!client) throw new SignInError('unreachable');
      const fresh = await refresh(client, tokens.refresh, this.surroundings.request);
      this.#keep({ ...(tokens.name !== undefined && { name: tokens.name }), ...fresh }, this.surroundings.storage.kept?.id ?? crypto.randomUUID());
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      if (error.code !== 'unreachable') return this.#end(setback(error, 'ended'));
      if (Date.now() < tokens.expires) return; // it does for now
      this.#setback.value = { reason: 'unreachable' };
      if (!this.#identity.peek()?.readPublic) throw new ProblemError({ title: 'The sign-in service cannot be reached', detail: 'Your sign-in goes on as soon as it answers.', cause: 'signInUnreachable' });
      this.#tokens.value = { ...tokens, access: '', due: Date.now() + askAgain };
      setTimeout(() => void this.token().catch(() => undefined), askAgain);
    }
  }

  async #recognize(): Promise<void> {
    const tokens = this.#tokens.peek();
    if (!tokens?.access || tokens === this.#known) return;
    try {
      this.#identity.value = await send<Identity>(this.surroundings.request, 'GET', '/api/v1/identity', tokens.access);
      this.#known = tokens;
    } catch (error) {
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
    storage.kept = tokens.refresh === undefined ? undefined : { id, refresh: tokens.refresh };
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
    clearTimeout(this.#ending);
    this.surroundings.storage.kept = undefined;
    batch(() => {
      const { principal: _, ...identity } = this.#identity.peek()!;
      this.#identity.value = identity;
      this.#known = this.#tokens.value = undefined;
      this.#setback.value = setback;
    });
    this.#tell();
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

/** A token that was typed in says itself when it ends. */
function ofTyped(access: string): Tokens {
  const exp = Number(claimsOf(access).exp ?? NaN) * 1000;
  return { access, expires: exp > 0 ? exp : Infinity, due: Infinity };
}

function setback({ code, message }: SignInError, reason: 'failed' | 'ended' = 'failed'): Setback {
  if (code === 'unreachable') return { reason: 'unreachable' };
  return { reason, detail: message || code };
}

const isRefusal = (error: unknown): error is ProblemError => error instanceof ProblemError && error.problem.status === 401;
