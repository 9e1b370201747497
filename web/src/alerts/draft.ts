// A rule as it is written in the form, and what it becomes. Numbers are text here, as somebody is still typing them.
import type { RulePatch } from './api';
import { conditionTypes, days, type Condition, type ConditionType, type Day, type Definition, type Hours, type Rule, type Target } from './wire';

export type Where = 'lot' | 'spot' | 'everywhere';

/** Days, and a time from–to; "00:00" to "00:00" is the whole day. */
export interface HoursDraft {
  readonly days: readonly Day[];
  readonly from: string;
  readonly to: string;
}

export interface Draft {
  readonly name: string;
  readonly where: Where;
  readonly lotId: string;
  readonly zoneId: string;
  readonly category: string;
  readonly spotId: string;
  readonly type: ConditionType;
  readonly count: string;
  readonly percent: string;
  readonly minutes: string;
  readonly margin: string;
  readonly hours: readonly HoursDraft[];
  readonly quietHours: readonly HoursDraft[];
  readonly quietHoursThen: 'hold' | 'drop';
  readonly timeZone: string;
  readonly enabled: boolean;
  readonly once: boolean;
  readonly initially: 'say' | 'wait';
  readonly cooldownMinutes: string;
  /** As a field for a local day and time has it; empty: never. */
  readonly expiresAt: string;
  readonly channels: readonly string[];
}

/** What is wrong, by field. Of hours the place in the list is said too: "hours.0". */
export type Fault = 'missing' | 'whole' | 'range' | 'days' | 'sameTime' | 'past' | 'zone';
export type Faults = Readonly<Record<string, Fault>>;

export const mostHours = 14;
export const mostChannels = 10;

const blank: Draft = {
  name: '', where: 'lot', lotId: '', zoneId: '', category: '', spotId: '', type: 'any_free', count: '5', percent: '90', minutes: '30', margin: '',
  hours: [], quietHours: [], quietHoursThen: 'hold', timeZone: '', enabled: true, once: false, initially: 'say', cooldownMinutes: '0', expiresAt: '', channels: [],
};

export const workHours: HoursDraft = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:00', to: '19:00' };
export const nights: HoursDraft = { days, from: '22:00', to: '07:00' };

/** A rule that is to be written, as far as the address says what of: `?rule=new&lot=central`. */
export function draftFor(query: URLSearchParams): Draft {
  const said = (name: string) => query.get(name) ?? '';
  const type = conditionTypes.find((each) => each === said('when')) ?? 'any_free';
  const where: Where = said('spot') ? 'spot' : said('category') && !said('lot') ? 'everywhere' : 'lot';
  return { ...blank, where, type, lotId: said('lot'), zoneId: said('zone'), category: said('category'), spotId: said('spot') };
}

export function draftOf(rule: Rule): Draft {
  const { target, condition } = rule;
  const number = (value: number | undefined, otherwise = '') => (value === undefined ? otherwise : String(value));
  return {
    name: rule.name,
    where: target.spotId !== undefined ? 'spot' : target.lotId !== undefined ? 'lot' : 'everywhere',
    lotId: target.lotId ?? '', zoneId: target.zoneId ?? '', category: target.category ?? '', spotId: target.spotId ?? '',
    type: condition.type, count: number(condition.count, blank.count), percent: number(condition.percent, blank.percent),
    minutes: number(condition.minutes, blank.minutes), margin: number(condition.margin),
    hours: (rule.hours ?? []).map(hoursDraft), quietHours: (rule.quietHours ?? []).map(hoursDraft), quietHoursThen: rule.quietHoursThen ?? 'hold',
    timeZone: rule.timeZone ?? '', enabled: rule.enabled, once: rule.once, initially: rule.initially, cooldownMinutes: number(rule.cooldownSeconds / 60),
    expiresAt: rule.expiresAt === undefined ? '' : localTime(new Date(rule.expiresAt)), channels: rule.channels,
  };
}

const hoursDraft = ({ days: on, from, to }: Hours): HoursDraft => ({ days: on ?? days, from: from ?? '00:00', to: to === undefined || to === '24:00' ? '00:00' : to });

/** What is wrong with a draft; nothing: it can be sent. */
export function faultsOf(draft: Draft, now: number): Faults {
  const faults: Record<string, Fault> = {};
  const check = (field: string, fault: Fault | undefined | false) => {
    if (fault) faults[field] = fault;
  };
  check('name', draft.name.trim() === '' && 'missing');
  check('lotId', draft.where === 'lot' && draft.lotId === '' && 'missing');
  check('spotId', draft.where === 'spot' && draft.spotId.trim() === '' && 'missing');
  check('category', draft.where === 'everywhere' && draft.category === '' && 'missing');
  if (draft.type === 'free_at_least') check('count', whole(draft.count, 1, 100_000));
  if (draft.type === 'occupancy_above') check('percent', within(draft.percent, 0, 99.99));
  if (draft.type === 'overstay') check('minutes', whole(draft.minutes, 1, 43_200));
  if (draft.type === 'silent') check('minutes', whole(draft.minutes, 0, 43_200));
  if (draft.margin !== '' && hasMargin(draft.type)) check('margin', draft.type === 'free_at_least' ? whole(draft.margin, 1, 100_000) : within(draft.margin, 0, 100));
  for (const field of ['hours', 'quietHours'] as const) {
    draft[field].forEach(({ days: on, from, to }, i) => {
      check(`${field}.${i}`, from === '' || to === '' ? 'missing' : on.length === 0 ? 'days' : from === to && from !== '00:00' && 'sameTime');
    });
  }
  check('cooldownMinutes', !draft.once && within(draft.cooldownMinutes, 0, 10_080));
  check('timeZone', draft.timeZone !== '' && !isTimeZone(draft.timeZone) && 'zone');
  check('expiresAt', draft.expiresAt !== '' && !(Date.parse(draft.expiresAt) > now) && 'past');
  return faults;
}

/** Whether the condition is armed again by a margin. */
export const hasMargin = (type: ConditionType): boolean => type === 'free_at_least' || type === 'occupancy_above';

/** Whether the condition is about each spot by itself. */
export const isSingle = (type: ConditionType): boolean => type === 'overstay' || type === 'silent';

function whole(text: string, least: number, most: number): Fault | undefined {
  return /^\d+$/.test(text.trim()) ? within(text, least, most) : 'whole';
}

function within(text: string, least: number, most: number): Fault | undefined {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) return 'missing';
  return value >= least && value <= most ? undefined : 'range';
}

function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

/** What a draft without faults says; null: without it. */
export function definitionOf(draft: Draft): RulePatch {
  return {
    name: draft.name.trim(), target: targetOf(draft), condition: conditionOf(draft), enabled: draft.enabled, once: draft.once, initially: draft.initially,
    cooldownSeconds: draft.once ? 0 : Math.round(Number(draft.cooldownMinutes) * 60),
    hours: draft.hours.length > 0 ? draft.hours.map(hoursOf) : null,
    quietHours: draft.quietHours.length > 0 ? draft.quietHours.map(hoursOf) : null,
    quietHoursThen: draft.quietHours.length > 0 ? draft.quietHoursThen : null,
    timeZone: draft.timeZone || null,
    expiresAt: draft.expiresAt === '' ? null : new Date(draft.expiresAt).toISOString(),
    channels: draft.channels,
  };
}

/** The same for what is drawn while it is written. */
export function ruleLike(draft: Draft): Definition {
  const { hours, quietHours, quietHoursThen, timeZone, expiresAt, ...rest } = definitionOf({ ...draft, expiresAt: Number.isNaN(Date.parse(draft.expiresAt)) ? '' : draft.expiresAt });
  return {
    ...(rest as Omit<Definition, 'hours' | 'quietHours' | 'quietHoursThen' | 'timeZone' | 'expiresAt'>),
    ...(hours && { hours }), ...(quietHours && { quietHours }), ...(quietHoursThen && { quietHoursThen }), ...(timeZone && { timeZone }), ...(expiresAt && { expiresAt }),
  };
}

/** What of a rule is changed: what stays is not said, as a change of some of it makes the rule begin anew. */
export function patchOf(before: Draft, after: Draft): RulePatch {
  const was = definitionOf(before);
  const said = Object.entries(definitionOf(after)).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(was[field as keyof RulePatch]));
  return Object.fromEntries(said) as RulePatch;
}

function targetOf({ where, lotId, zoneId, category, spotId }: Draft): Target {
  if (where === 'spot') return { spotId: spotId.trim() };
  return { ...(where === 'lot' && { lotId, ...(zoneId && { zoneId }) }), ...(category && { category }) };
}

function conditionOf({ type, count, percent, minutes, margin }: Draft): Condition {
  const again = margin.trim() === '' ? {} : { margin: Number(margin) };
  switch (type) {
    case 'any_free': return { type };
    case 'free_at_least': return { type, count: Number(count), ...again };
    case 'occupancy_above': return { type, percent: Number(percent), ...again };
    case 'overstay': case 'silent': return { type, minutes: Number(minutes) };
  }
}

function hoursOf({ days: on, from, to }: HoursDraft): Hours {
  return { ...(on.length < days.length && { days: days.filter((day) => on.includes(day)) }), from, to: to === '00:00' ? '24:00' : to };
}

/** A time as a field for a local day and time takes it, no less exact than it is. */
export function localTime(time: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const seconds = time.getSeconds() + time.getMilliseconds() / 1000;
  const exact = seconds === 0 ? '' : `:${two(time.getSeconds())}${time.getMilliseconds() === 0 ? '' : `.${String(time.getMilliseconds()).padStart(3, '0')}`}`;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:${two(time.getMinutes())}${exact}`;
}
