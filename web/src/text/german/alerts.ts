import type { Names } from '../../alerts/names';
import { weekdays } from '../../alerts/weekday';
import type { Definition, Hours, Target } from '../../alerts/wire';
import { fullTime, number } from '../format';
import { common } from './common';
import { categoryName, lasting, toldText } from './told';
import type { Words } from '../words';

const { term } = common;

const categories: Record<string, readonly [string, string]> = {
  // "ein …", "… Plätze"
  standard: ['ein normaler Platz', 'normale Plätze'], accessible: ['ein barrierefreier Platz', 'barrierefreie Plätze'],
  electric: ['ein Platz mit Ladesäule', 'Plätze mit Ladesäule'], family: ['ein Familienplatz', 'Familienplätze'],
  motorcycle: ['ein Motorradplatz', 'Motorradplätze'], short_stay: ['ein Kurzzeitplatz', 'Kurzzeitplätze'],
};

const one = (category: string | undefined): string => (category === undefined ? 'ein Platz' : (categories[category]?.[0] ?? `ein Platz (${category})`));
const many = (category: string | undefined): string => (category === undefined ? 'Plätze' : (categories[category]?.[1] ?? `Plätze (${category})`));

function place({ lotId, zoneId }: Target, names: Names): string {
  if (lotId === undefined) return 'irgendwo';
  return `${names.lot(lotId)}${zoneId === undefined ? '' : `, ${names.zone(lotId, zoneId)}`}`;
}

function condition({ target, condition: { type, count = 0, percent = 0, minutes = 0 } }: Definition, names: Names): string {
  const { spotId, category } = target;
  const where = place(target, names);
  const at = target.lotId === undefined ? where : `(${where})`;
  const subject = spotId === undefined ? `${one(category)} ${at}` : `Platz ${spotId}`;
  switch (type) {
    case 'any_free': return `${subject} frei ist`;
    case 'free_at_least': return spotId !== undefined ? `${subject} frei ist` : count === 1 ? `mindestens ${subject} frei ist` : `mindestens ${number(count)} ${many(category)} ${at} frei sind`;
    case 'occupancy_above': return spotId !== undefined ? `${subject} belegt ist` : `mehr als ${number(percent)} % belegt sind: ${many(category)} ${at}`;
    case 'overstay': return `${subject} seit ${lasting(minutes)} belegt ist`;
    case 'silent': return minutes === 0 ? `der Sensor verstummt: ${subject}` : `der Sensor seit ${lasting(minutes)} schweigt: ${subject}`;
  }
}

function window({ days, from = '00:00', to = '24:00' }: Hours): string {
  const hours = from === '00:00' && to === '24:00' ? '' : `${from}–${to}`;
  return [weekdays(days), hours].filter(Boolean).join(' ') || 'den ganzen Tag';
}

const windows = (list: readonly Hours[] | undefined): string => (list ?? []).map(window).join(' und ');

function sentence(rule: Definition, names: Names): string {
  const parts = [`Melden, wenn ${condition(rule, names)}`];
  if (rule.hours?.length) parts.push(`nur ${windows(rule.hours)}`);
  if (rule.quietHours?.length) parts.push(`nicht ${windows(rule.quietHours)}${rule.quietHoursThen === 'drop' ? ', auch nicht danach, was dann begann' : ''}`);
  if (rule.timeZone !== undefined) parts.push(`nach den Uhren von ${rule.timeZone}`);
  parts.push(rule.once ? 'ein Mal' : rule.cooldownSeconds > 0 ? `höchstens alle ${lasting(Math.round(rule.cooldownSeconds / 60))}` : 'jedes Mal');
  if (rule.expiresAt !== undefined) parts.push(`bis ${fullTime(Date.parse(rule.expiresAt))}`);
  return `${parts.join('; ')}.`;
}

const conditionName: Words['alerts']['conditionName'] = {
  any_free: 'Ein Platz ist frei', free_at_least: 'So viele Plätze sind frei', occupancy_above: 'Es ist fast voll', overstay: 'Ein Platz ist zu lange belegt', silent: 'Ein Sensor schweigt',
};

export const alerts: Words['alerts'] = {
  conditionName, sentence,
  toldText: (decision) => toldText(decision, number),
  nameOf: ({ target, condition: { type } }, names) =>
    `${conditionName[type]}: ${target.spotId ?? place(target, names)}${target.category === undefined ? '' : `, ${categoryName(target.category)}`}`,
  fault: {
    missing: 'Das wird gebraucht.', whole: 'Hier gehört eine ganze Zahl hin.', range: 'Das ist zu klein oder zu groß.', days: 'Mindestens einen Tag wählen.',
    sameTime: 'Anfang und Ende sind gleich.', past: 'Das liegt nicht in der Zukunft.', zone: 'Diese Zeitzone gibt es nicht.',
  },
  kind: { webhook: 'Webhook', push: 'Browser', mail: 'E-Mail' },
  channelState: { unconfirmed: 'nicht bestätigt', active: 'aktiv', paused: 'angehalten', disabled: 'abgeschaltet', ended: 'beendet' },
  ruleState: { armed: 'wartet darauf', spoken: 'hat gemeldet', off: 'aus', done: 'erledigt', expired: 'abgelaufen' },
  deliveryState: { waiting: 'wartet', sending: 'wird gesendet', delivered: 'zugestellt', dead: 'aufgegeben' },
  obstacle: {
    unsupported: 'Dieser Browser kann das nicht. Auf iPhone und iPad muss Parkwire zuerst zum Home-Bildschirm hinzugefügt werden.',
    insecure: 'Browser erlauben das nur auf Seiten, die über https kamen.',
    worker: 'Dieser Browser lässt Parkwire nicht im Hintergrund laufen. Das kann an einem privaten Fenster liegen.',
    denied: 'Benachrichtigungen sind für diese Seite blockiert. In den Einstellungen des Browsers, neben der Adresse, lassen sie sich erlauben; dann noch einmal versuchen.',
    service: 'Dieser Browser erreicht seinen Push-Dienst nicht.',
    'not-configured': 'Diese Installation sendet nichts an geschlossene Browser: Wer sie betreibt, hat das nicht eingerichtet. Benachrichtigungen, solange eine Seite offen ist, gehen trotzdem.',
  },
  fares: ({ reason, failingSince, deliveredAt, previousUntil }, time) => [
    reason !== undefined && `${reason.replace(/\.?$/, '.')}`,
    failingSince !== undefined && `Seit ${time(failingSince)} kam nichts an.`,
    deliveredAt === undefined ? 'Dorthin wurde noch nichts zugestellt.' : `Zuletzt zugestellt: ${time(deliveredAt)}.`,
    previousUntil !== undefined && `Das vorige Geheimnis unterschreibt noch bis ${time(previousUntil)}.`,
  ].filter(Boolean).join(' '),
  testOutcome: ({ state, error }) => {
    if (state === 'delivered') return 'Der Test wurde zugestellt.';
    if (state === 'dead') return `Der Test kam nicht an: ${error ?? 'niemand weiß, warum'}.`;
    return error === undefined ? 'Der Test ist unterwegs.' : `Der Test kam noch nicht an und wird wiederholt: ${error}.`;
  },
  browserName: () => {
    const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(navigator.userAgent)?.[0];
    return system === undefined ? 'Browser' : `Browser (${system.replace('Mac OS', 'Mac')})`;
  },
  unread: (n) => `${number(n)} ungelesene ${n === 1 ? 'Meldung' : 'Meldungen'}`,
  inPage: 'Neue Meldungen', show: 'Zeigen', dismissAll: 'Alle schließen', moreToasts: (n) => `${number(n)} weitere`,

  sections: 'Teile der Meldungen', section: { rules: 'Regeln', told: 'Gemeldet', ways: 'Wohin', sent: 'Gesendet' },
  signInFirst: 'Worauf Sie warten, meldet Parkwire Ihnen: hier, durch eine Benachrichtigung dieses Browsers, per E-Mail oder an ein Programm. Regeln gehören einer Person; dafür ist eine Anmeldung nötig.',
  tokenFrom: 'Wer diese Installation betreibt, stellt ein Token aus:',
  cannotSignIn: { unreachable: 'Der Anmeldedienst ist zurzeit nicht erreichbar; diese Seite versucht es weiter.', insecure: 'Dafür muss diese Seite über https geöffnet werden.' },
  absent: 'Diese Installation hat keinen Meldedienst, oder er steht Ihnen nicht offen.',
  triesAgain: 'Diese Seite versucht es automatisch wieder.', notLive: 'Neue Meldungen kommen zurzeit nicht an. Diese Seite versucht es weiter; verloren geht nichts.',

  rules: 'Ihre Regeln', rule: 'Regel', newRule: 'Neue Regel', editRule: 'Regel bearbeiten', noSuchRule: 'Diese Regel gibt es nicht. Vielleicht wurde sie entfernt.',
  noRules: 'Es gibt noch keine Regeln. Eine Regel meldet zum Beispiel, wenn am Ziel ein Platz frei ist.',
  on: 'An', off: 'Aus', again: 'Noch einmal', whatItTold: 'Was sie meldete', switchRule: (name) => `Regel ${name}`,
  editNamed: (name) => `${name} bearbeiten`, removeNamed: (name) => `${name} entfernen`,
  removeRule: 'Diese Regel entfernen?', removeChannel: 'Dorthin nichts mehr senden?', yesRemove: 'Ja, entfernen',
  sentTo: (names) => (names.length === 0 ? 'Wird nur hier gemeldet.' : `Wird hier gemeldet und gesendet an ${names.join(', ')}.`),
  spokeTimes: (times, last) => `${times === 1 ? 'Ein Mal' : `${number(times)} Mal`} gemeldet, zuletzt ${last}.`,
  onlyLots: (lots) => `Kennt nur diese Parkflächen, wie das Token: ${lots.join(', ')}.`,

  where: 'Wo', whereKind: 'Worum es geht', inLot: 'Eine Parkfläche oder ein Teil davon', atSpot: 'Ein einzelner Platz', everywhere: 'Eine Kategorie, irgendwo',
  lot: term.lot, zone: term.zone, spot: term.spot, category: term.category, wholeLot: 'Die ganze Parkfläche', anyCategory: 'Jede Kategorie', choose: 'Auswählen',
  spotHint: 'Einen Teil des Namens eingeben.',
  when: 'Wann', condition: 'Melden, wenn', count: 'Freie Plätze', percentOccupied: 'Prozent belegt', minutes: 'Minuten',
  overstayHint: 'So lange, nachdem das Auto kam.', silentHint: '0: sobald bekannt ist, dass der Sensor schweigt.',
  marginSpots: 'Wartet wieder, wenn so viele weniger frei sind', marginPoints: 'Wartet wieder so viele Punkte darunter',
  marginSpotsHint: 'Leer: 1. Mehr verhindert Meldungen jedes Mal, wenn die Zahl um eins schwankt.', marginPointsHint: 'Leer: 5.',
  hours: 'Tage und Stunden', speaks: 'Nur melden', anyTime: 'Jederzeit.', addHours: 'Tage und Stunden hinzufügen', quiet: 'Ruhezeiten', neverQuiet: 'Keine.', addQuiet: 'Ruhezeiten hinzufügen',
  quietThen: 'Was in den Ruhezeiten eintritt', quietHold: 'Danach melden, wenn es dann noch so ist', quietDrop: 'Nicht melden', window: (n) => `Zeitraum ${n}`, quietWindow: (n) => `Ruhezeit ${n}`,
  removeWindow: (label) => `${label} entfernen`, from: 'Von', to: 'Bis', overNight: 'Bis zum nächsten Morgen; zählt zu dem Tag, an dem es beginnt.', wholeDay: 'Der ganze Tag.',
  timeZone: 'Zeitzone', timeZoneHint: 'Leer: nach den Uhren am Ort der Parkfläche.', zoneOfLot: 'Die der Parkfläche',
  often: 'Wie oft', oftenKind: 'Gemeldet wird', always: 'Jedes Mal', once: 'Ein Mal',
  cooldown: 'Minuten bis zur nächsten Meldung', cooldownHint: '0: jedes Mal, wenn es neu eintritt.', expires: 'Bis', expiresHint: 'Leer: ohne Ende. Nach der Uhr dieses Geräts.',
  initially: 'Wenn es schon so ist', sayAtOnce: 'Sofort melden', waitFirst: 'Warten, bis es geendet hat und wieder eintritt',
  ways: 'Wohin', alwaysInPage: 'Auf jeder offenen Seite von Parkwire wird es in jedem Fall gemeldet.', moreWays: 'Andere Ziele: E-Mail, Programme, andere Browser',
  name: 'Name', nameHint: 'Meldungen tragen ihn.', optional: 'Kann leer bleiben.',
  beginsAnew: 'Wird mehr geändert als Name und Ziele, beginnt die Regel von vorn.', faults: 'Etwas fehlt oder stimmt nicht; es steht bei den Feldern.',
  saveAnyway: 'Meine Änderungen trotzdem speichern',

  thisBrowser: 'Dieser Browser', whileOpen: 'Benachrichtigen, solange eine Seite von Parkwire im Hintergrund offen ist',
  browserTold: 'Dieser Browser wird auch benachrichtigt, wenn keine Seite von Parkwire offen ist, selbst nach dem Abmelden. In jeder Regel lässt sich wählen, ob sie hierher sendet.',
  browserNotTold: 'Dieser Browser kann auch benachrichtigt werden, wenn keine Seite von Parkwire offen ist.', browserOfAnother: 'Zurzeit wird er für jemanden benachrichtigt, der hier vorher angemeldet war. Das endet, sobald Sie beginnen.',
  tellBrowser: 'Diesen Browser benachrichtigen', stopBrowser: 'Diesen Browser nicht mehr benachrichtigen',
  channels: 'Ziele', channel: 'Ziel', noChannels: 'Noch wird nirgendwohin gesendet.', addChannel: 'Ein Ziel hinzufügen', addWebhook: 'Webhook hinzufügen', addMail: 'Postfach hinzufügen',
  url: 'Adresse', address: 'E-Mail-Adresse', webhookHint: 'Für Programme: Jede Meldung wird dorthin gesendet, mit POST und unterschrieben.', mailHint: 'Zuerst wird ein Code dorthin gesendet, damit niemand Post bekommt, der sie nicht will.',
  mailMissing: 'Diese Installation sendet keine E-Mail: Wer sie betreibt, hat das nicht eingerichtet.',
  code: 'Code', codeHint: (address) => `Er wurde an ${address} gesendet und gilt einen Tag.`, confirm: 'Bestätigen',
  test: 'Test senden', pause: 'Anhalten', resume: 'Fortsetzen', rotate: 'Neues Geheimnis', whatWasSent: 'Was gesendet wurde',
  secret: 'Geheimnis', secretHint: 'Damit prüft Ihr Programm die Unterschriften. Es wird nur dieses eine Mal gezeigt: jetzt aufbewahren.', copy: 'Kopieren', copied: 'Kopiert', kept: 'Ist aufbewahrt',

  told: 'Was gemeldet wurde', nothingTold: 'Noch wurde nichts gemeldet.', isNew: 'neu', older: 'Ältere',
  sent: 'Was gesendet wurde', nothingSent: 'Nichts Passendes wurde gesendet.', state: 'Zustand', all: 'Alle', testMessage: 'Ein Test',
  attempts: (count, n) => `${count} ${n === 1 ? 'Versuch' : 'Versuche'}`, interrupted: (n) => `${n === 1 ? 'ein Mal' : `${number(n)} Mal`} unterbrochen, kam also vielleicht doppelt an`,
  nextAt: (time) => `wieder um ${time}`, lastError: (error) => `Letzter Versuch: ${error}.`,
};
