// What the page asks the alert service. Everything is the subject's of the token. All throw a ProblemError.
import type { Api } from '../live/api';
import { ProblemError } from '../live/http';
import type { Channel, Decision, Definition, Delivery, NewChannel, Page, Rule } from './wire';

const base = '/api/v1/alerts';
const rule = (id: string) => `${base}/rules/${encodeURIComponent(id)}`;
const channel = (id: string) => `${base}/channels/${encodeURIComponent(id)}`;

/** Changes of a rule; null: without it. */
export type RulePatch = { readonly [K in keyof Definition]?: Definition[K] | null };

/** A place to which alerts may go that is not there yet. */
export type ChannelWish =
  | { readonly kind: 'webhook'; readonly name?: string; readonly url: string }
  | { readonly kind: 'mail'; readonly name?: string; readonly address: string }
  | { readonly kind: 'push'; readonly name?: string; readonly subscription: PushSubscriptionJSON };

export type ChannelPatch = { readonly name?: string; readonly url?: string; readonly state?: 'active' | 'paused' };

export interface DeliveryFilter {
  readonly channel?: string | undefined;
  readonly rule?: string | undefined;
  readonly state?: string | undefined;
}

export class AlertsApi {
  constructor(private readonly api: Api) {}

  rules(): Promise<Rule[]> {
    return this.api.all<Rule>(`${base}/rules`);
  }

  addRule(wish: RulePatch): Promise<Rule> {
    return this.api.ask<Rule>('POST', `${base}/rules`, { body: wish });
  }

  /** Changes the rule as it was seen; where somebody was faster, it is refused. */
  changeRule({ id, version }: Rule, patch: RulePatch): Promise<Rule> {
    return this.api.ask<Rule>('PATCH', rule(id), { body: patch, headers: { 'if-match': `"${version}"` } });
  }

  removeRule(id: string): Promise<void> {
    return this.api.ask<void>('DELETE', rule(id));
  }

  decisions(query: { readonly rule?: string | undefined; readonly limit: number; readonly cursor?: string | undefined }): Promise<Page<Decision>> {
    return this.api.ask<Page<Decision>>('GET', `${base}/decisions`, { query });
  }

  channels(): Promise<Channel[]> {
    return this.api.all<Channel>(`${base}/channels`);
  }

  addChannel(wish: ChannelWish): Promise<NewChannel> {
    return this.api.ask<NewChannel>('POST', `${base}/channels`, { body: wish });
  }

  changeChannel(id: string, patch: ChannelPatch): Promise<Channel> {
    return this.api.ask<Channel>('PATCH', channel(id), { body: patch });
  }

  removeChannel(id: string): Promise<void> {
    return this.api.ask<void>('DELETE', channel(id));
  }

  /** Sends something there. Returns the id of the delivery. */
  async testChannel(id: string): Promise<string> {
    return (await this.api.ask<{ readonly deliveryId: string }>('POST', `${channel(id)}/test`)).deliveryId;
  }

  rotateSecret(id: string): Promise<NewChannel> {
    return this.api.ask<NewChannel>('POST', `${channel(id)}/rotate`);
  }

  confirm(id: string, code: string): Promise<Channel> {
    return this.api.ask<Channel>('POST', `${channel(id)}/confirm`, { body: { code } });
  }

  /** The key with which a browser subscribes, in base64url. */
  async pushKey(): Promise<string> {
    return (await this.api.ask<{ readonly key: string }>('GET', `${base}/push-key`)).key;
  }

  deliveries(query: DeliveryFilter & { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page<Delivery>> {
    return this.api.ask<Page<Delivery>>('GET', `${base}/deliveries`, { query: { ...query } });
  }
}

/** Which of the platform's problems it is: the end of its type. */
export const slugOf = (error: unknown): string | undefined => (error instanceof ProblemError ? error.problem.type?.split(':').at(-1) : undefined);

/** Whether there is no alert service for the one who asks. */
export const isAbsent = (error: unknown): boolean =>
  slugOf(error) === 'service-not-configured' || (error instanceof ProblemError && (error.problem.status === 403 || error.problem.status === 404));
