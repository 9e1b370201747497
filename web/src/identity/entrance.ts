// What the platform says of signing in, and of the one who asks: GET /api/v1/identity.
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { ProblemError, send } from '../live/http';
import type { Client, Endpoints } from './flow';
import type { Principal } from './person';

export interface Identity {
  readonly readPublic: boolean;
  /** Without endpoints as long as the provider is out of reach. */
  readonly login?: Omit<Client, 'endpoints'> & { readonly endpoints?: Endpoints };
  readonly principal?: Principal;
}

/** How people sign in here: at a provider, which may be out of reach or need an encrypted page, or, where there is none, with a token that they have. */
export type Way = 'provider' | 'unreachable' | 'insecure' | 'token';

export const askAgain = 10_000; // while the provider is out of reach, in milliseconds

export class Entrance {
  readonly #said = signal<Identity | undefined>(undefined);
  #asking: ReturnType<typeof setTimeout> | undefined;

  /** secure: the page is encrypted. */
  constructor(private readonly request: typeof fetch, private readonly secure: boolean) {}

  /** Undefined: not known yet. */
  get said(): ReadonlySignal<Identity | undefined> {
    return this.#said;
  }

  /** Undefined: not known yet. */
  readonly way = computed<Way | undefined>(() => {
    const { login } = this.#said.value ?? {};
    if (!this.#said.value) return undefined;
    if (!login) return 'token';
    if (!this.secure) return 'insecure';
    return login.endpoints ? 'provider' : 'unreachable';
  });

  /** What the page is to the provider; undefined: there is none, or it is out of reach. */
  get client(): Client | undefined {
    const { login } = this.#said.peek() ?? {};
    return login?.endpoints && { ...login, endpoints: login.endpoints };
  }

  /** Asks how one signs in, and again as long as the provider is out of reach. What was said of a token holds on. */
  async learn(): Promise<void> {
    const said = await this.ask(undefined).catch((error: unknown): Identity => {
      if (error instanceof ProblemError && error.problem.status === 404) return { readPublic: true }; // a platform that is older than this page
      throw error;
    });
    const { principal = this.#said.peek()?.principal, ...rest } = said;
    this.#said.value = principal ? { ...rest, principal } : rest;
    if (said.login && !said.login.endpoints) this.#learnAgain();
  }

  #learnAgain(): void {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => void this.learn().catch(() => this.#learnAgain()), askAgain);
  }

  /** Asks as whoever has the token. */
  ask(token: string | undefined): Promise<Identity> {
    return send<Identity>(this.request, 'GET', '/api/v1/identity', token);
  }

  /** Takes over what was said to whoever is signed in now. */
  take(said: Identity): void {
    this.#said.value = said;
  }

  /** Nobody is signed in any more. */
  forget(): void {
    const said = this.#said.peek();
    if (!said) return;
    const { principal: _, ...rest } = said;
    this.#said.value = rest;
  }
}
