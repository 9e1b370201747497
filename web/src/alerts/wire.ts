// Rules, channels, and what was told, as the alert service has them: docs/alerts.md.

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof days)[number];

export const conditionTypes = ['any_free', 'free_at_least', 'occupancy_above', 'overstay', 'silent'] as const;
export type ConditionType = (typeof conditionTypes)[number];

export const categories = ['standard', 'accessible', 'electric', 'family', 'motorcycle', 'short_stay'] as const;

/** A spot; or a lot, a zone of it, a category, or several of these, which then all hold. */
export interface Target {
  readonly spotId?: string;
  readonly lotId?: string;
  readonly zoneId?: string;
  readonly category?: string;
}

export interface Condition {
  readonly type: ConditionType;
  readonly count?: number;
  readonly percent?: number;
  readonly margin?: number;
  readonly minutes?: number;
}

/** A time of the day on some days; where `to` is before `from`, until the day after. */
export interface Hours {
  readonly days?: readonly Day[];
  readonly from?: string;
  readonly to?: string;
}

/** What somebody says of a rule. */
export interface Definition {
  readonly name: string;
  readonly target: Target;
  readonly condition: Condition;
  readonly enabled: boolean;
  readonly once: boolean;
  readonly initially: 'say' | 'wait';
  readonly cooldownSeconds: number;
  readonly hours?: readonly Hours[];
  readonly quietHours?: readonly Hours[];
  readonly quietHoursThen?: 'hold' | 'drop';
  readonly timeZone?: string;
  readonly expiresAt?: string;
  readonly channels: readonly string[];
}

export interface Rule extends Definition {
  readonly id: string;
  readonly version: number;
  /** The lots to which the token was limited that wrote it last. */
  readonly lots?: readonly string[];
  readonly state: {
    readonly armed: boolean;
    readonly decisions: number;
    readonly lastDecidedAt?: string;
    readonly done: boolean;
    readonly expired: boolean;
  };
}

/** One time that a rule spoke. */
export interface Decision {
  readonly id: string;
  /** The place on the stream. */
  readonly sequence: number;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly condition: Condition;
  readonly target: Target;
  readonly decidedAt: string;
  readonly occurredAt: string;
  readonly lotId?: string;
  readonly lotName?: string;
  readonly zoneId?: string;
  readonly zoneName?: string;
  readonly spotId?: string;
  readonly spotName?: string;
  readonly free?: number;
  readonly occupied?: number;
  readonly counted?: number;
  readonly occupancyPercent?: number;
  readonly minutes?: number;
  /** One sentence, in English. */
  readonly text: string;
}

export type ChannelKind = 'webhook' | 'push' | 'mail';
export type ChannelState = 'unconfirmed' | 'active' | 'paused' | 'disabled' | 'ended';

export interface Channel {
  readonly id: string;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly url?: string;
  readonly endpoint?: string;
  readonly address?: string;
  readonly state: ChannelState;
  readonly reason?: string;
  readonly createdAt: string;
  readonly deliveredAt?: string;
  readonly failingSince?: string;
  readonly previousUntil?: string;
}

/** With the secret of a webhook, which is told this once. */
export interface NewChannel extends Channel {
  readonly secret?: string;
}

export const deliveryStates = ['waiting', 'sending', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** A message to one channel, and what became of it. */
export interface Delivery {
  readonly id: string;
  readonly ruleId?: string;
  readonly channelId: string;
  readonly kind: ChannelKind;
  readonly type: 'alert.fired' | 'channel.test';
  readonly text: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly interrupted?: number;
  readonly createdAt: string;
  readonly nextAt?: string;
  readonly finishedAt?: string;
  readonly status?: number;
  readonly error?: string;
}

/** Whether nothing becomes of it any more. */
export const isOver = ({ state }: Delivery): boolean => state === 'delivered' || state === 'dead';

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** Where one sees what was told; undefined: it is about no single place. */
export function placeOf({ target, spotId, lotId }: Pick<Decision, 'target' | 'spotId' | 'lotId'>): string | undefined {
  const spot = spotId ?? target.spotId;
  if (spot !== undefined) return `/spots/${encodeURIComponent(spot)}`;
  return lotId === undefined ? undefined : `/lots/${encodeURIComponent(lotId)}`;
}
