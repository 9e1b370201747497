// Telling: rules, what they told, and where it is sent.
import type { PushObstacle } from '../../alerts/push';
import type { Names } from '../../alerts/names';
import type { RuleState } from '../../alerts/RuleCard';
import type { Fault } from '../../alerts/draft';
import type { Channel, ChannelKind, ChannelState, ConditionType, Decision, Definition, Delivery, DeliveryState, Hours, Target } from '../../alerts/wire';
import { weekdays } from '../../alerts/weekday';
import { fullTime, number } from '../format';
import { common } from './common';

const { categoryName, term } = common;

const spots = (category: string | undefined, n: number): string => `${category === undefined ? '' : `${categoryName(category)} `}${n === 1 ? 'spot' : 'spots'}`;

function inPlace({ lotId, zoneId }: Target, names: Names): string {
  if (lotId === undefined) return 'anywhere';
  return `in ${names.lot(lotId)}${zoneId === undefined ? '' : `, ${names.zone(lotId, zoneId)}`}`;
}

function lasting(minutes: number): string {
  if (minutes === 1) return '1 minute';
  return minutes < 120 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** What must be so: "at least 5 spots are free in Central Garage". */
function condition({ target, condition: { type, count = 0, percent = 0, minutes = 0 } }: Definition, names: Names): string {
  const { spotId, category } = target;
  const where = inPlace(target, names);
  const one = spotId === undefined ? `${category === 'accessible' || category === 'electric' ? 'an' : 'a'} ${spots(category, 1)} ${where}` : `spot ${spotId}`;
  switch (type) {
    case 'any_free': return spotId === undefined ? `${category === 'accessible' || category === 'electric' ? 'an' : 'a'} ${spots(category, 1)} is free ${where}` : `spot ${spotId} is free`;
    case 'free_at_least': return spotId === undefined ? `at least ${number(count)} ${spots(category, count)} ${count === 1 ? 'is' : 'are'} free ${where}` : `spot ${spotId} is free`;
    case 'occupancy_above': return spotId === undefined ? `more than ${number(percent)} % of the ${spots(category, 2)} ${where} are occupied` : `spot ${spotId} is occupied`;
    case 'overstay': return `${one} has been occupied for ${lasting(minutes)}`;
    case 'silent': return minutes === 0 ? `the sensor of ${one} falls silent` : `the sensor of ${one} has been silent for ${lasting(minutes)}`;
  }
}

/** "Mon–Fri 07:00–19:00". */
function window({ days, from = '00:00', to = '24:00' }: Hours): string {
  const hours = from === '00:00' && to === '24:00' ? '' : `${from}–${to}`;
  return [weekdays(days), hours].filter(Boolean).join(' ') || 'the whole day';
}

const windows = (list: readonly Hours[] | undefined): string => (list ?? []).map(window).join(' and ');

/** A whole rule. */
function sentence(rule: Definition, names: Names): string {
  const parts = [`Tell me when ${condition(rule, names)}`];
  if (rule.hours?.length) parts.push(`only ${windows(rule.hours)}`);
  if (rule.quietHours?.length) parts.push(`not ${windows(rule.quietHours)}${rule.quietHoursThen === 'drop' ? ', nor afterwards what began then' : ''}`);
  if (rule.timeZone !== undefined) parts.push(`by the clocks of ${rule.timeZone}`);
  parts.push(rule.once ? 'once' : rule.cooldownSeconds > 0 ? `at most every ${lasting(Math.round(rule.cooldownSeconds / 60))}` : 'each time');
  if (rule.expiresAt !== undefined) parts.push(`until ${fullTime(Date.parse(rule.expiresAt))}`);
  return `${parts.join('; ')}.`;
}

const conditionName: Record<ConditionType, string> = {
  any_free: 'A spot is free', free_at_least: 'So many spots are free', occupancy_above: 'It is almost full', overstay: 'A spot is occupied for too long', silent: 'A sensor is silent',
};

/** What a rule is called that nobody gave a name. */
function nameOf({ target, condition: { type } }: Definition, names: Names): string {
  const place = target.spotId !== undefined ? `spot ${target.spotId}` : inPlace(target, names).replace(/^in /, '');
  const category = target.category === undefined ? '' : `, ${categoryName(target.category)}`;
  return `${conditionName[type]}: ${place}${category}`;
}

const fault: Record<Fault, string> = {
  missing: 'This is needed.', whole: 'A whole number is needed.', range: 'This is too small or too large.', days: 'Choose at least one day.',
  sameTime: 'Begin and end are the same.', past: 'This is not in the future.', zone: 'There is no such time zone.',
};

const kind: Record<ChannelKind, string> = { webhook: 'Webhook', push: 'Browser', mail: 'Mail' };

const channelState: Record<ChannelState, string> = { unconfirmed: 'not confirmed', active: 'active', paused: 'paused', disabled: 'disabled', ended: 'ended' };

const ruleState: Record<RuleState, string> = { armed: 'waits for it', spoken: 'has told you', off: 'off', done: 'done', expired: 'expired' };

const deliveryState: Record<DeliveryState, string> = { waiting: 'waiting', sending: 'being sent', delivered: 'delivered', dead: 'given up' };

const obstacle: Record<PushObstacle, string> = {
  unsupported: 'This browser cannot do that. On an iPhone or iPad, add Parkwire to the home screen first.',
  insecure: 'Browsers allow this only where the page came by https.',
  worker: 'This browser does not let Parkwire run in the background. A private window may be the reason.',
  denied: 'Notifications are blocked for this page. Allow them in the settings of the browser, beside the address, then try again.',
  service: 'This browser cannot reach its push service.',
  'not-configured': 'This installation sends nothing to browsers that are closed: its operator has not set it up. Notifications while a page is open work all the same.',
};

/** How a channel fares. */
function fares({ reason, failingSince, deliveredAt, previousUntil }: Channel, time: (at: string) => string): string {
  return [
    reason !== undefined && `${reason.replace(/\.?$/, '.')}`,
    failingSince !== undefined && `Nothing got through since ${time(failingSince)}.`,
    deliveredAt === undefined ? 'Nothing was delivered there yet.' : `Delivered last: ${time(deliveredAt)}.`,
    previousUntil !== undefined && `The secret before signs too until ${time(previousUntil)}.`,
  ].filter(Boolean).join(' ');
}

function testOutcome({ state, error }: Delivery): string {
  if (state === 'delivered') return 'The test was delivered.';
  if (state === 'dead') return `The test did not arrive: ${error ?? 'nobody knows why'}.`;
  return error === undefined ? 'The test is on its way.' : `The test has not arrived yet, and is tried again: ${error}.`;
}

/** Name for this browser: what it runs on, as far as it says. */
const browserName = (): string => {
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(navigator.userAgent)?.[0];
  return system === undefined ? 'Browser' : `Browser (${system.replace('Mac OS', 'Mac')})`;
};

export const alerts = {
  conditionName, sentence, nameOf, fault, kind, channelState, ruleState, deliveryState, obstacle, fares, testOutcome, browserName,
  /** What was told, for people. */
  toldText: (decision: Decision): string => decision.text,
  unread: (n: number): string => `${number(n)} unread ${n === 1 ? 'alert' : 'alerts'}`,
  inPage: 'New alerts', show: 'Show', dismissAll: 'Dismiss all', moreToasts: (n: number): string => `${number(n)} more`,

  sections: 'Parts of alerts', section: { rules: 'Rules', told: 'Told', ways: 'Where to', sent: 'Sent' },
  signInFirst: 'Tell Parkwire what you wait for, and it tells you: here, by a notification of this browser, by mail or to a program. Rules belong to a person, so sign in first.',
  tokenFrom: 'Whoever operates this installation makes a token for you:',
  cannotSignIn: { unreachable: 'The sign-in service cannot be reached at present; this page goes on trying.', insecure: 'For that, this page must be opened by https.' },
  absent: 'This installation has no alert service, or it is not for you.',
  triesAgain: 'This page tries again by itself.', notLive: 'New alerts do not arrive at present. This page goes on trying; nothing is lost.',

  rules: 'Your rules', rule: 'Rule', newRule: 'New rule', editRule: 'Edit the rule', noSuchRule: 'You have no such rule. It may have been removed.',
  noRules: 'You have no rules yet. A rule tells you, for example, when a spot is free where you are going.',
  on: 'On', off: 'Off', again: 'Once more', whatItTold: 'What it told', switchRule: (name: string): string => `Rule ${name}`,
  editNamed: (name: string): string => `Edit ${name}`, removeNamed: (name: string): string => `Remove ${name}`,
  removeRule: 'Remove this rule?', removeChannel: 'Send nothing there any more?', yesRemove: 'Yes, remove',
  sentTo: (names: readonly string[]): string => (names.length === 0 ? 'Told here alone.' : `Told here, and sent to ${names.join(', ')}.`),
  spokeTimes: (times: number, last: string): string => `Told ${times === 1 ? 'once' : `${number(times)} times`}, last ${last}.`,
  onlyLots: (lots: readonly string[]): string => `Knows of these lots alone, as your token does: ${lots.join(', ')}.`,

  where: 'Where', whereKind: 'What it is about', inLot: 'A lot or a part of it', atSpot: 'One spot', everywhere: 'A category, anywhere',
  lot: term.lot, zone: term.zone, spot: term.spot, category: term.category, wholeLot: 'The whole lot', anyCategory: 'Any category', choose: 'Choose',
  spotHint: 'Type a part of its name.',
  when: 'When', condition: 'Tell me when', count: 'Free spots', percentOccupied: 'Percent occupied', minutes: 'Minutes',
  overstayHint: 'So long after the car came.', silentHint: '0: as soon as the sensor is known to be silent.',
  marginSpots: 'Waits again when so many fewer are free', marginPoints: 'Waits again so many points below',
  marginSpotsHint: 'Empty: 1. More keeps it from telling you each time that the number goes up and down by one.', marginPointsHint: 'Empty: 5.',
  hours: 'Days and hours', speaks: 'Tell me only', anyTime: 'At any time.', addHours: 'Add days and hours', quiet: 'Quiet hours', neverQuiet: 'None.', addQuiet: 'Add quiet hours',
  quietThen: 'What becomes true in quiet hours', quietHold: 'Tell me when they end, if it is still so', quietDrop: 'Do not tell me', window: (n: number): string => `Hours ${n}`, quietWindow: (n: number): string => `Quiet hours ${n}`,
  removeWindow: (label: string): string => `Remove ${label}`, from: 'From', to: 'To', overNight: 'Until the next morning; it belongs to the day on which it begins.', wholeDay: 'The whole day.',
  timeZone: 'Time zone', timeZoneHint: 'Empty: by the clocks where the lot is.', zoneOfLot: 'Of the lot',
  often: 'How often', oftenKind: 'It tells me', always: 'Each time', once: 'Once',
  cooldown: 'Minutes until it may tell me again', cooldownHint: '0: each time that it comes true anew.', expires: 'Until', expiresHint: 'Empty: for good. By the clock of this device.',
  initially: 'If it is so already', sayAtOnce: 'Tell me at once', waitFirst: 'Wait until it has ended and comes true again',
  ways: 'Where to', alwaysInPage: 'It is told in every open page of Parkwire in any case.', moreWays: 'Other places: mail, programs, other browsers',
  name: 'Name', nameHint: 'Alerts carry it.', optional: 'May be left empty.',
  beginsAnew: 'A change of anything but its name and where it is sent makes the rule begin anew.', faults: 'Something is missing or not right; it is said beside the fields.',
  saveAnyway: 'Save my changes all the same',

  thisBrowser: 'This browser', whileOpen: 'Notify me while a page of Parkwire is open in the background', browserTold: 'This browser is notified also when no page of Parkwire is open, even after you sign out. Choose in each rule whether it is sent here.',
  browserNotTold: 'This browser can be notified also when no page of Parkwire is open.', browserOfAnother: 'At present it is notified for somebody who was signed in here before. That ends when you begin.',
  tellBrowser: 'Notify this browser', stopBrowser: 'Stop notifying this browser',
  channels: 'Places', channel: 'Place', noChannels: 'Nothing is sent anywhere yet.', addChannel: 'Add a place', addWebhook: 'Add the webhook', addMail: 'Add the mailbox',
  url: 'Address', address: 'Mail address', webhookHint: 'For programs: each alert is sent there by POST, signed.', mailHint: 'A code is sent there first, so that nobody is written to who did not ask.',
  mailMissing: 'This installation sends no mail: its operator has not set it up.',
  code: 'Code', codeHint: (address: string): string => `It was sent to ${address} and holds for a day.`, confirm: 'Confirm',
  test: 'Send a test', pause: 'Pause', resume: 'Resume', rotate: 'New secret', whatWasSent: 'What was sent',
  secret: 'Secret', secretHint: 'Your program checks signatures with it. It is told this once alone: keep it now.', copy: 'Copy', copied: 'Copied', kept: 'I have kept it',

  told: 'What was told', nothingTold: 'Nothing was told yet.', isNew: 'new', older: 'Older ones',
  sent: 'What was sent', nothingSent: 'Nothing was sent that matches.', state: 'State', all: 'All', testMessage: 'A test',
  attempts: (count: string, n: number): string => `${count} ${n === 1 ? 'attempt' : 'attempts'}`, interrupted: (n: number): string => `cut off ${n === 1 ? 'once' : `${number(n)} times`}, so that it may have come twice`,
  nextAt: (time: string): string => `again at ${time}`, lastError: (error: string): string => `Last attempt: ${error}.`,
};
