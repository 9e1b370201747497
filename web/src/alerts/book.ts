// What the page of alerts knows: the rules and channels of who is signed in. Views read its signals, and change things through it.
import { batch, computed, signal, type Signal } from '@preact/signals';
import { problemOf, type Problem } from '../live/http';
import { AlertsApi, isAbsent, type ChannelPatch, type ChannelWish, type RulePatch } from './api';
import type { Channel, NewChannel, Rule } from './wire';

const again = 10_000; // while the service is away, in milliseconds

export class Book {
  readonly #rules = signal<readonly Rule[] | undefined>(undefined);
  readonly #channels = signal<readonly Channel[] | undefined>(undefined);
  readonly #problem = signal<Problem | undefined>(undefined);
  readonly #absent = signal(false);
  #closed = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #loads = 0; // counts loads: the answer to the latest one stays
  #loading = false;

  constructor(readonly api: AlertsApi) {}

  get rules() {
    return this.#rules;
  }

  get channels() {
    return this.#channels;
  }

  /** Why they could not be loaded, until they are. */
  get problem() {
    return this.#problem;
  }

  /** Whether there is no alert service for this person. */
  get absent() {
    return this.#absent;
  }

  readonly loaded = computed(() => this.#rules.value !== undefined && this.#channels.value !== undefined);

  async load(): Promise<void> {
    const load = ++this.#loads;
    clearTimeout(this.#retry);
    this.#loading = true;
    try {
      const [rules, channels] = await Promise.all([this.api.rules(), this.api.channels()]);
      if (load !== this.#loads) return;
      this.#loading = false;
      batch(() => {
        this.#rules.value = rules;
        this.#channels.value = channels;
        this.#problem.value = undefined;
        this.#absent.value = false;
      });
    } catch (error) {
      if (load !== this.#loads) return;
      this.#loading = false;
      this.#absent.value = !this.loaded.peek() && isAbsent(error); // what is there stays, with what is being written on it
      this.#problem.value = problemOf(error);
      if (!this.#closed) this.#retry = setTimeout(() => void this.load(), again);
    }
  }

  close(): void {
    this.#closed = true;
    this.#loading = false;
    this.#loads++;
    clearTimeout(this.#retry);
  }

  async addRule(wish: RulePatch): Promise<Rule> {
    const added = await this.api.addRule(wish);
    this.#set(this.#rules, [...(this.#rules.peek() ?? []), added]);
    return added;
  }

  async changeRule(rule: Rule, patch: RulePatch): Promise<Rule> {
    const changed = await this.api.changeRule(rule, patch);
    this.#set(this.#rules, this.#rules.peek()?.map((each) => (each.id === rule.id ? changed : each)));
    return changed;
  }

  async removeRule(rule: Rule): Promise<void> {
    await this.api.removeRule(rule.id);
    this.#set(this.#rules, this.#rules.peek()?.filter(({ id }) => id !== rule.id));
  }

  async addChannel(wish: ChannelWish): Promise<NewChannel> {
    return this.put(await this.api.addChannel(wish));
  }

  async changeChannel(id: string, patch: ChannelPatch): Promise<void> {
    this.put(await this.api.changeChannel(id, patch));
  }

  async rotateSecret(id: string): Promise<NewChannel> {
    return this.put(await this.api.rotateSecret(id));
  }

  async confirm(id: string, code: string): Promise<void> {
    this.put(await this.api.confirm(id, code));
  }

  async removeChannel(id: string): Promise<void> {
    await this.api.removeChannel(id);
    this.#channels.value = this.#channels.peek()?.filter((channel) => channel.id !== id);
    void this.load(); // rules may have named it
  }

  /** Takes a channel as it is now. Its secret is not kept. */
  put(channel: NewChannel): NewChannel {
    const { secret: _, ...known } = channel;
    const channels = this.#channels.peek() ?? [];
    this.#set(this.#channels, channels.some(({ id }) => id === known.id) ? channels.map((each) => (each.id === known.id ? known : each)) : [...channels, known]);
    return channel;
  }

  /** Takes over what was done. What is being loaded may not know of it, and is loaded anew. */
  #set<T>(list: Signal<readonly T[] | undefined>, value: readonly T[] | undefined): void {
    list.value = value;
    if (this.#loading) void this.load();
  }
}
