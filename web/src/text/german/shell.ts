import type { ConnectionState } from '../../live/connection';
import { number, shortTime } from '../format';
import type { Words } from '../words';

function staleness(state: ConnectionState, asOf: number | undefined): string {
  if (asOf === undefined) return '';
  const until = `Angezeigt wird der Stand von ${shortTime(asOf, Date.now())}`;
  switch (state) {
    case 'offline': return `Dieses Gerät ist offline. ${until}.`;
    case 'connecting': return `Die Live-Verbindung wird aufgebaut. ${until}.`;
    case 'reconnecting': return `Die Live-Verbindung ist unterbrochen. ${until}; spätere Änderungen folgen.`;
    case 'open': return '';
  }
}

export const shell: Words['shell'] = {
  connection: { connecting: 'Verbindet', open: 'Live', reconnecting: 'Verbindet neu', offline: 'Offline' },
  staleness, standing: 'Wie alt das Gezeigte ist', delayed: 'Verzögert',
  delay: (asOf) => `Änderungen kommen verspätet: Das Ereignisprotokoll ist nicht erreichbar. Angezeigt wird der Stand von ${shortTime(asOf, Date.now())}; spätere Änderungen folgen.`,
  home: 'Parkwire, alle Parkflächen', views: 'Ansichten', more: 'Mehr', skip: 'Zum Inhalt',
  city: 'Stadt', map: 'Karte', table: 'Tabelle', changes: 'Änderungen', alerts: 'Meldungen', manage: 'Verwalten',
  plan: 'Plan', history: 'Verlauf', spot: 'Platz', import: 'Import',
  unread: (n) => `${number(n)} ungelesen`,
  viewsOf: (lot) => `Ansichten von ${lot}`, tellMe: 'Melden, wenn …',
  settings: 'Einstellungen', theme: 'Farben', light: 'Hell', dark: 'Dunkel', asDevice: 'Wie das Gerät',
  motion: 'Bewegung', motionOn: 'An', motionOff: 'Aus', language: 'Sprache',
  wallDisplay: 'Wandanzeige', wallDisplayHint: 'Groß, ohne Bedienelemente, der Bildschirm bleibt an. Escape beendet sie.',
  install: 'Als App installieren', newer: 'Es gibt eine neuere Version dieser Seite.', loadNewer: 'Laden',
  apiTitle: 'Die Schnittstellen für Programme',
  partFailed: 'Dieser Teil der Seite konnte nicht geladen werden', partFailedDetail: 'Vielleicht ist die Verbindung unterbrochen, oder es gibt eine neuere Version dieser Seite.', reload: 'Seite neu laden',
  goesOn: 'Diese Seite versucht es automatisch weiter.',
  statusCode: (status) => `Status ${status}.`,
  request: 'Anfrage',
  nothingHere: 'Hier gibt es nichts', nothingHereDetail: 'Diese Adresse gehört zu keiner Seite von Parkwire.',
  noLot: 'Diese Parkfläche gibt es nicht', noLotDetail: (id) => `Keine Parkfläche hat die ID „${id}“. Vielleicht wurde sie entfernt.`, seeAll: 'Alle Parkflächen ansehen',
  noLots: 'Noch keine Parkflächen', noLotsDetail: 'Parkwire läuft und wartet auf die erste Parkfläche. Sobald es eine gibt, erscheint sie hier von selbst.',
  seeAlive: 'In Betrieb sehen', seeAliveDetail: 'Eine ganze Stadt mit Tausenden von Plätzen, auf diesem Rechner simuliert:',
  addOwn: 'Eigene anlegen', addOwnDetail: 'Mit einem Token, das dieser Befehl ausgibt:', exampleLot: 'Hauptbahnhof',
};
