import type { Setback } from '../../identity/account';
import type { Scope } from '../../identity/person';
import type { Problem } from '../../live/http';
import { isStatus, type ParkingEvent } from '../../live/wire';
import { expected } from '../english/common';
import { clockTime, number } from '../format';
import type { Words } from '../words';
import { categoryName } from './told';

const status: Words['common']['status'] = {
  free: 'frei', reserved: 'reserviert', occupied: 'belegt', unknown: 'unbekannt', out_of_service: 'außer Betrieb', closed: 'gesperrt',
};

const term: Words['common']['term'] = { lot: 'Parkfläche', zone: 'Zone', level: 'Ebene', spot: 'Platz', category: 'Kategorie', status: 'Status', sensor: 'Sensor' };

const statusText = (text: string): string => (isStatus(text) ? status[text] : text || 'unbekannt');

const change: Record<string, string> = {
  added: 'wurde angelegt', occupied: 'wurde belegt', released: 'wurde frei', reserved: 'wurde reserviert', reservation_ended: 'ist nicht mehr reserviert',
  signal_lost: 'meldet sich nicht mehr', signal_restored: 'meldet sich wieder', closed: 'wurde gesperrt', reopened: 'wurde wieder geöffnet',
  faulted: 'ist außer Betrieb', repaired: 'ist wieder in Betrieb', edited: 'wurde bearbeitet', removed: 'wurde entfernt',
};

function happened({ change: kind, status: now }: ParkingEvent): string {
  const said = kind === undefined ? undefined : change[kind];
  if (said === undefined) return `ist jetzt ${statusText(now)}`;
  if (kind === 'removed' || kind === 'edited' || now === expected[kind!]) return said;
  return `${said}, jetzt ${statusText(now)}`;
}

function ago(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 10) return 'jetzt';
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} T`;
}

const action: Words['common']['action'] = {
  occupy: 'Als belegt melden', release: 'Als frei melden', close: 'Platz sperren', reopen: 'Wieder öffnen', fault: 'Außer Betrieb', repair: 'Wieder in Betrieb',
  end_reservation: 'Reservierung beenden',
};

const allowed: Record<Scope, string> = {
  read: 'darf ansehen', ingest: 'darf ansehen und Messwerte senden', operate: 'darf Parkflächen und Plätze ändern', admin: 'darf alles',
};

function permission(scope: Scope | undefined, lots: readonly string[] | undefined): string {
  if (scope === undefined || lots?.length === 0) return 'darf hier nichts';
  return `${allowed[scope]} (${lots?.join(', ') ?? 'alle Parkflächen'})`;
}

const because = (detail: string | undefined) => (detail === undefined ? '.' : `: ${detail.replace(/\.?$/, '.')}`);

function setback({ reason, detail }: Setback): string {
  switch (reason) {
    case 'expired': return 'Die Anmeldung ist abgelaufen.';
    case 'ended': return `Die Anmeldung wurde beendet${because(detail)}`;
    case 'refused': return `Die Anmeldung wird nicht mehr angenommen${because(detail)}`;
    case 'failed': return `Die Anmeldung ist nicht gelungen${because(detail)}`;
    case 'unreachable': return 'Der Anmeldedienst ist nicht erreichbar. Bis er antwortet, ist niemand angemeldet.';
    case 'duplicate': return 'Dieser Tab ist die Kopie eines angemeldeten Tabs und braucht eine eigene Anmeldung.';
  }
}

const signInWay: Words['common']['signInWay'] = {
  provider: 'Diese Installation zeigt ihre Parkflächen nur nach einer Anmeldung.',
  unreachable: 'Diese Installation zeigt ihre Parkflächen nur nach einer Anmeldung. Der Anmeldedienst ist zurzeit nicht erreichbar; diese Seite versucht es weiter.',
  insecure: 'Diese Installation zeigt ihre Parkflächen nur nach einer Anmeldung. Dafür muss diese Seite über https geöffnet werden.',
  token: 'Diese Installation zeigt ihre Parkflächen nur mit einem Token. Wer sie betreibt, stellt es so aus:',
};

const problems: Record<NonNullable<Problem['cause']>, { readonly title: string; readonly detail?: string }> = {
  unreachable: { title: 'Parkwire ist nicht erreichbar', detail: 'Der Server antwortet nicht. Vielleicht startet er gerade neu, oder dieses Gerät hat keine Verbindung.' },
  unreadable: { title: 'Die Antwort ist nicht lesbar' },
  unexpected: { title: 'Die Antwort passt nicht zu dieser Seite' },
  ended: { title: 'Die Anmeldung ist beendet', detail: 'Es wurde nicht ausgeführt, weil die Anmeldung vorher zu Ende war.' },
  signInUnreachable: { title: 'Der Anmeldedienst ist nicht erreichbar', detail: 'Die Anmeldung geht weiter, sobald er antwortet.' },
  noChanges: { title: 'Parkwire sendet keine Änderungen' },
  fault: { title: 'In dieser Seite ist ein Fehler aufgetreten' },
};

const problem = (told: Problem): Problem => (told.cause ? { ...told, ...problems[told.cause] } : told);

export const common: Words['common'] = {
  term, status, categoryName, change, statusText, happened, ago, action, permission, setback, signInWay, problem,
  lots: 'Parkflächen', allLots: 'Alle Parkflächen', noSpots: 'Noch keine Plätze', full: 'Voll', fewLeft: 'Fast voll',
  freeOf: (total) => `frei von ${number(total)}`,
  ofFree: (total) => `von ${number(total)} frei`,
  spotsFree: (free) => (free === 1 ? 'Platz frei' : 'Plätze frei'),
  ofIn: (spots, lots) => `von ${number(spots)} auf ${number(lots)} ${lots === 1 ? 'Parkfläche' : 'Parkflächen'}`,
  summary: (name, counts) => `${name}: ${number(counts.free)} von ${number(counts.total)} Plätzen frei.`,
  titleOf: (free, name) => `${number(free)} frei · ${name}`,
  signIn: 'Anmelden', signOut: 'Abmelden', signInToSee: 'Anmelden, um die Parkflächen zu sehen', signInWithToken: 'Mit einem Token anmelden',
  signedInAs: (name) => `Angemeldet als ${name}`,
  endsSoon: (at) => `Die Anmeldung endet um ${clockTime(at)}.`,
  token: 'Token', useToken: 'Verwenden', tokenStays: 'Es bleibt in diesem Tab.',
  dismiss: 'Schließen', tryNow: 'Jetzt versuchen', cancel: 'Abbrechen', save: 'Speichern', close: 'Schließen', remove: 'Entfernen', edit: 'Bearbeiten', loading: 'Wird geladen',
  what: 'Mögliche Aktionen',
};
