import { describe, expect, test } from 'vitest';
import { definitionOf, draftFor, draftOf, faultsOf, localTime, patchOf, ruleLike, workHours, type Draft } from '../src/alerts/draft';
import type { Names } from '../src/alerts/names';
import { placeOf, type Rule } from '../src/alerts/wire';
import { weekdays } from '../src/alerts/weekday';
import { english } from '../src/text/english';
import { german } from '../src/text/german';

const now = Date.parse('2026-11-24T12:00:00Z');
const blank = draftFor(new URLSearchParams('rule=new&lot=central'));
const named = (change: Partial<Draft>): Draft => ({ ...blank, name: 'Work', ...change });
const names: Names = { lot: (id) => (id === 'central' ? 'Central Garage' : id), zone: (_, id) => (id === 'l1' ? 'Level 1' : id) };

const rule: Rule = {
  id: 'r', version: 3, name: 'Work', target: { lotId: 'central', zoneId: 'l1', category: 'accessible' }, condition: { type: 'free_at_least', count: 5, margin: 3 }, enabled: true, once: false,
  initially: 'wait', cooldownSeconds: 90, hours: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:30', to: '24:00' }], quietHours: [{ from: '20:00', to: '08:00' }], quietHoursThen: 'drop',
  timeZone: 'Europe/Berlin', expiresAt: '2026-12-24T12:00:30.500Z', channels: ['c'], state: { armed: true, decisions: 0, done: false, expired: false },
};

describe('a rule in the form', () => {
  test('that was read says what it said, whatever it was written by', () => {
    const { id: _, version: __, state: ___, ...definition } = rule;
    expect(ruleLike(draftOf(rule))).toEqual({ ...definition, quietHours: [{ from: '20:00', to: '08:00' }] });
    expect(patchOf(draftOf(rule), draftOf(rule))).toEqual({});
  });

  test('that was changed says what was changed alone, and what is gone', () => {
    const before = draftOf(rule);
    expect(patchOf(before, { ...before, name: 'Play' }), 'it does not begin anew').toEqual({ name: 'Play' });
    expect(patchOf(before, { ...before, hours: [], timeZone: '', expiresAt: '' })).toEqual({ hours: null, timeZone: null, expiresAt: null });
    expect(patchOf(before, { ...before, once: true })).toEqual({ once: true, cooldownSeconds: 0 });
    expect(patchOf(before, { ...before, type: 'any_free' })).toEqual({ condition: { type: 'any_free' } });
  });

  test('begins as the address says', () => {
    expect(definitionOf(draftFor(new URLSearchParams('rule=new&spot=c-01'))).target).toEqual({ spotId: 'c-01' });
    expect(definitionOf(draftFor(new URLSearchParams('rule=new&lot=central&zone=l1'))).target).toEqual({ lotId: 'central', zoneId: 'l1' });
    expect(definitionOf(draftFor(new URLSearchParams('rule=new&category=electric&when=nonsense')))).toMatchObject({ target: { category: 'electric' }, condition: { type: 'any_free' } });
  });

  test('says what is wrong with it, by field', () => {
    expect(faultsOf(named({}), now)).toEqual({});
    expect(faultsOf({ ...blank, lotId: '' }, now)).toEqual({ name: 'missing', lotId: 'missing' });
    expect(faultsOf(named({ where: 'spot' }), now)).toEqual({ spotId: 'missing' });
    expect(faultsOf(named({ where: 'everywhere' }), now)).toEqual({ category: 'missing' });
    expect(faultsOf(named({ type: 'free_at_least', count: '1.5' }), now)).toEqual({ count: 'whole' });
    expect(faultsOf(named({ type: 'free_at_least', count: '0', margin: '0' }), now)).toEqual({ count: 'range', margin: 'range' });
    expect(faultsOf(named({ type: 'occupancy_above', percent: '100' }), now)).toEqual({ percent: 'range' });
    expect(faultsOf(named({ type: 'overstay', minutes: '0' }), now)).toEqual({ minutes: 'range' });
    expect(faultsOf(named({ type: 'silent', minutes: '0' }), now)).toEqual({});
    expect(faultsOf(named({ hours: [workHours, { ...workHours, days: [] }, { ...workHours, to: '07:00' }], quietHours: [{ ...workHours, from: '' }] }), now))
      .toEqual({ 'hours.1': 'days', 'hours.2': 'sameTime', 'quietHours.0': 'missing' });
    expect(faultsOf(named({ timeZone: 'Mars/Base', expiresAt: '2020-01-01T00:00', cooldownMinutes: '-1' }), now)).toEqual({ timeZone: 'zone', expiresAt: 'past', cooldownMinutes: 'range' });
    expect(faultsOf(named({ once: true, cooldownMinutes: '' }), now), 'what is not asked for is not wrong').toEqual({});
  });

  test('knows midnight as a begin and as an end', () => {
    const { hours } = definitionOf(named({ hours: [{ days: ['sat', 'fri'], from: '00:00', to: '00:00' }] }));
    expect(hours).toEqual([{ days: ['fri', 'sat'], from: '00:00', to: '24:00' }]);
  });

  test('keeps a local time as exact as it was', () => {
    const time = new Date('2026-12-24T12:00:30.500Z');
    expect(new Date(localTime(time)).getTime()).toBe(time.getTime());
    expect(localTime(new Date(2026, 0, 2, 3, 4))).toBe('2026-01-02T03:04');
  });
});

describe('a rule in words', () => {
  const said = (change: Partial<Rule>) => english.alerts.sentence({ ...rule, hours: [], quietHours: [], cooldownSeconds: 0, ...change } as Rule, names).replace(/; until.*/, '.').replace('; by the clocks of Europe/Berlin', '');

  test('is a sentence', () => {
    expect(said({ target: { lotId: 'central' }, condition: { type: 'any_free' } })).toBe('Tell me when a spot is free in Central Garage; each time.');
    expect(said({})).toBe('Tell me when at least 5 accessible spots are free in Central Garage, Level 1; each time.');
    expect(said({ target: { category: 'electric' }, condition: { type: 'any_free' }, once: true })).toBe('Tell me when an electric spot is free anywhere; once.');
    expect(said({ target: { spotId: 'c-01' }, condition: { type: 'overstay', minutes: 150 } })).toBe('Tell me when spot c-01 has been occupied for 2 h 30 min; each time.');
    expect(said({ target: { lotId: 'central' }, condition: { type: 'silent', minutes: 0 } })).toBe('Tell me when the sensor of a spot in Central Garage falls silent; each time.');
    expect(said({ target: { lotId: 'x' }, condition: { type: 'occupancy_above', percent: 90 }, hours: rule.hours!, quietHours: rule.quietHours! }))
      .toBe('Tell me when more than 90 % of the spots in x are occupied; only Mon–Fri 07:30–24:00; not 20:00–08:00, nor afterwards what began then; each time.');
  });

  test('is one in German too', () => {
    expect(german.alerts.sentence({ ...rule, hours: [], quietHours: [] }, names)).toMatch(/^Melden, wenn mindestens 5 barrierefreie Plätze \(Central Garage, Level 1\) frei sind; /);
    expect(german.alerts.toldText({
      id: 'd', sequence: 1, ruleId: 'r', ruleName: 'Work', condition: { type: 'any_free' }, target: { lotId: 'central' }, decidedAt: '', occurredAt: '', lotId: 'central', lotName: 'Central Garage',
      spotId: 'c-01', free: 1, text: 'Central Garage: spot c-01 is free.',
    })).toBe('Central Garage: Platz c-01 ist frei.');
  });

  test('names days in a row by the first and the last', () => {
    expect([weekdays(['mon', 'tue', 'wed']), weekdays(['fri', 'mon']), weekdays(undefined), weekdays(['sat', 'sun'])]).toEqual(['Mon–Wed', 'Mon, Fri', '', 'Sat, Sun']);
  });
});

test('an alert leads to its spot, else to its lot', () => {
  expect(placeOf({ target: { spotId: 'a/b' } })).toBe('/spots/a%2Fb');
  expect(placeOf({ target: { lotId: 'central' }, lotId: 'central' })).toBe('/lots/central');
  expect(placeOf({ target: { category: 'electric' } })).toBeUndefined();
});
