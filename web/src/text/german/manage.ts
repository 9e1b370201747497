import type { Action } from '../../live/api';
import { number } from '../format';
import type { Words } from '../words';
import { common } from './common';

const more = (n: string, one: string, many: string): string => `${n} ${n === '1' ? one : many}`;

const act = (action: Action | 'reserve'): string => (action === 'reserve' ? 'Reservieren' : common.action[action]);
const { term } = common;

const importFields: Record<string, string> = {
  spotId: 'ID', lotId: 'Parkfläche', zoneId: 'Zone', name: 'Name', category: 'Kategorie', lat: 'Breite', lon: 'Länge', location: 'Ort', heartbeatSeconds: 'Meldeabstand',
  status: 'Status', occupancy: 'Belegung', closed: 'gesperrt', faulted: 'außer Betrieb', observedAt: 'gesehen um',
};

export const manage: Words['manage'] = {
  act,
  changeReservation: 'Reservierung ändern', editSpot: 'Platz bearbeiten',
  done: (spot, what) => `${spot}: „${what}“ ist erledigt.`,
  reservedFor: (reference, until) =>
    `Reserviert${reference === undefined ? '' : ` für ${reference}`}${until === undefined ? ', bis sie beendet wird' : ` bis ${until}`}.`,
  behind: (what) => `Unabhängig davon ist er ${what}.`,
  silent: (sensor) => `Sein Sensor ${sensor} schweigt: Ob dort ein Fahrzeug steht, ist nicht bekannt.`,
  notSeen: 'Ob dort ein Fahrzeug steht, ist nicht bekannt.',
  reference: 'Für wen oder was', referenceHint: 'Ein Name oder eine Nummer, an der andere es erkennen, etwa Auftrag-1744. Es darf fehlen.',
  until: 'Bis', untilOther: 'Andere Zeit', untilEnded: 'Bis sie beendet wird', untilWhen: 'Die Zeit', deviceClock: 'Nach der Uhr dieses Geräts.',
  span: (minutes, until) => `${minutes < 60 ? `${minutes} min` : `${minutes / 60} h`}, bis ${until}`,
  mayNot: (person, may, lot) =>
    `${person} ${may}. Um ${lot === undefined ? 'Parkflächen und Plätze' : 'diese Parkfläche'} zu ändern, braucht es das Recht, ${lot === undefined ? 'mindestens eine Parkfläche' : 'sie'} zu betreiben.`,
  signInFirst: 'Um Parkflächen und Plätze zu ändern, müssen Sie angemeldet sein und sie betreiben dürfen.',
  limited: (lots) => `Sie dürfen nur diese Parkflächen ändern: ${lots}.`,
  addLot: 'Parkfläche anlegen', searchLots: 'Parkflächen suchen',
  noLotsYet: 'Es gibt noch keine Parkfläche, die Sie ändern dürfen. Legen Sie eine an, oder importieren Sie welche aus einer Datei.', nothingFound: 'Nichts passt.',
  spotsFree: (total, free) => `${more(total, 'Platz', 'Plätze')}, ${free} frei`,
  seeLot: 'Live ansehen', parts: 'Teile der Parkfläche', saved: 'Gespeichert.', saving: 'Wird gespeichert …',
  tab: { spots: 'Plätze', zones: 'Zonen', lot: term.lot },
  lotFields: { id: 'ID', name: 'Name', address: 'Adresse', timeZone: 'Zeitzone', lat: 'Breite', lon: 'Länge', heartbeat: 'Sekunden Stille' },
  removeLot: 'Parkfläche entfernen', removeLotSure: (name) => `${name} verschwindet mit den Zonen. Was dort geschah, bleibt im Verlauf.`,
  lotHasSpots: (total) => `Sie hat noch ${more(total, 'Platz', 'Plätze')}. Entfernen Sie diese zuerst.`,
  lotIsEmpty: 'Sie hat keine Plätze und kann mit ihren Zonen entfernt werden.',
  idHint: 'Bis zu 128 Zeichen ohne „/“. Sie wird einmal gewählt und bleibt.', timeZoneHint: 'In ihr zählen Tage und Stunden der Parkfläche, etwa Europe/Berlin.',
  heartbeatHint: 'Wie lange ein Sensor schweigen darf, bis sein Platz als unbekannt zählt. Leer: für immer.',
  addZone: 'Zone anlegen', noZones: 'Diese Parkfläche hat keine Zonen. Zonen sind Ebenen, Reihen oder Straßenseiten.', level: (level) => `${term.level} ${number(level)}`,
  zoneFields: { id: 'ID', name: 'Name', level: term.level }, zoneIdHint: 'Auf der ganzen Plattform einmalig, etwa central-L1. Sie wird einmal gewählt und bleibt.', levelHint: 'Eine ganze Zahl; 0 liegt auf Straßenhöhe.',
  removeZone: 'Zone entfernen', removeZoneSure: (name) => `${name} verschwindet. Sie darf keine Plätze mehr haben.`,
  editOf: (name) => `${name} bearbeiten`, removeOf: (name) => `${name} entfernen`,
  addSpots: 'Plätze anlegen', addSpot: 'Platz anlegen', addMany: (n) => `${more(n, 'Platz', 'Plätze')} anlegen`, howMany: 'Wie viele', one: 'Ein Platz', series: 'Viele, nummeriert',
  spotFields: { id: 'ID', name: 'Name', zoneId: term.zone, category: term.category, lat: 'Breite', lon: 'Länge', heartbeat: 'Sekunden Stille', status: term.status },
  spotNameHint: 'Was statt der ID gezeigt wird. Er darf fehlen.', spotHeartbeatHint: 'Wie lange sein Sensor schweigen darf. Leer: wie bei der Parkfläche.',
  export: 'Als Datei:', noZone: 'Ohne Zone', allZones: 'Alle Zonen', allStatuses: 'Jeder Status', searchSpots: 'Plätze suchen', noSpots: 'Diese Parkfläche hat noch keine Plätze. Legen Sie welche an, oder importieren Sie sie aus einer Datei.',
  spotsOf: (lot) => `Plätze von ${lot}`,
  seriesBefore: 'Vor der Nummer', seriesAfter: 'Nach der Nummer', seriesFrom: 'Erste Nummer', seriesTo: 'Letzte Nummer',
  seriesIs: (n, first, last) => `${more(n, 'Platz', 'Plätze')}: ${first} … ${last}`,
  noSeries: 'Geben Sie zwei ganze Zahlen an, die erste nicht größer als die letzte, für bis zu 10.000 Plätze.',
  removeSpot: 'Platz entfernen', removeSpots: 'Entfernen', removeForGood: 'Endgültig entfernen',
  removeSpotSure: 'Er verschwindet aus jeder Ansicht. Was dort geschah, bleibt im Verlauf.',
  removeSpotsSure: (n) => `${more(n, 'Platz verschwindet', 'Plätze verschwinden')} aus jeder Ansicht. Was dort geschah, bleibt im Verlauf.`,
  pick: (name) => `${name} auswählen`, pickPage: 'Alle dieser Seite auswählen', pickAll: (n) => `Alle ${n} passenden auswählen`, pickNone: 'Auswahl aufheben',
  picked: (n) => `${n} ausgewählt`, doToPicked: 'Mit der Auswahl …', doIt: 'Ausführen',
  bulkDone: (done, refused) => `${more(done, 'Platz wurde', 'Plätze wurden')} geändert.${refused === '0' ? '' : ` ${more(refused, 'wurde', 'wurden')} abgelehnt und ${refused === '1' ? 'bleibt' : 'bleiben'} ausgewählt:`}`,
  stop: 'Anhalten', bulkLeft: (left) => `Angehalten: ${more(left, 'blieb', 'blieben')} unverändert und ausgewählt.`,
  refused: 'Abgelehnt', pages: 'Seiten der Liste', before: 'Zurück', after: 'Weiter', range: (from, to, total) => `${from}–${to} von ${total}`,
  clash: 'Jemand anderes hat inzwischen dasselbe geändert:',
  clashField: (field, theirs, yours) => `${field}: jetzt „${theirs}“, bei Ihnen „${yours}“`,
  clashChoice: 'Speichern Sie noch einmal, damit Ihres gilt, oder übernehmen Sie das andere.', takeTheirs: 'Das andere übernehmen', saveMine: 'Meines speichern',
  changedMeanwhile: 'Jemand anderes hat sie geändert, seit die Datei gelesen wurde. Wählen Sie die Datei noch einmal, um zu sehen, was sie jetzt ändern würde.',
  faults: {
    missing: 'Das wird gebraucht.', id: 'Bis zu 128 Zeichen, ohne „/“ und ohne Leerzeichen am Rand.', long: 'Das ist zu lang.',
    lat: 'Eine Gradzahl von -90 bis 90, etwa 48,137.', lon: 'Eine Gradzahl von -180 bis 180, etwa 11,575.', both: 'Ein Ort hat beides, Breite und Länge.',
    heartbeat: 'Eine ganze Zahl von Sekunden bis 604.800, eine Woche.', level: 'Eine ganze Zahl von -100 bis 1000.', timeZone: 'Eine Zeitzone dieses Namens gibt es nicht; Europe/Berlin ist eine.',
    future: 'Das muss in der Zukunft liegen.', twice: 'Diese Parkfläche steht schon weiter oben in der Datei.', forbidden: 'Diese Parkfläche dürfen Sie nicht ändern.',
  },
  whatToImport: 'Was importiert wird', source: 'Die Datei', toLot: 'In welche Parkfläche', chooseLot: 'Parkfläche wählen',
  chooseLotFirst: 'Wählen Sie die Parkfläche, in welche die Datei soll: dann sehen Sie, was sie ändern würde.',
  chooseFile: 'Datei wählen oder hierher ziehen', fileKinds: 'CSV mit Kopfzeile, oder GeoJSON. Nichts wird geändert, bevor Sie gesehen haben, was sich ändern würde.',
  pasted: 'Eingefügter Text', fileSize: (n) => `${n} Zeichen.`, readAs: (encoding) => `Sie ist nicht in UTF-8 und wurde als ${encoding} gelesen.`,
  paste: 'Oder Text einfügen', exampleIs: 'So kann eine solche Datei aussehen:',
  createZones: 'Zonen anlegen, die genannt werden und fehlen', atomic: 'Alles oder nichts: Ist eine Zeile nicht richtig, wird nichts geändert',
  busy: { reading: 'Es wird nachgesehen, was die Datei ändern würde …', importing: 'Wird importiert …' },
  preview: 'Was sich ändern würde', nothing: 'nichts', becomes: 'wird zu', place: 'Zeile', what: 'Änderung', fieldsOf: 'Felder',
  sum: { added: 'neu', changed: 'geändert', unchanged: 'wie bisher', rejected: 'ausgelassen' },
  zonesToCome: (zones) => `Zonen, die angelegt würden: ${zones}.`,
  columnsRead: (read, all) => `${read} von ${more(all, 'Spalte wird', 'Spalten werden')} gelesen`,
  leftOut: 'wird ausgelassen', readAsField: (field) => `ist: ${field}`, importField: (field) => importFields[field] ?? field,
  showMore: (n) => `Mehr zeigen (${n})`, changesOmitted: (n) => `${n} weitere sind nicht aufgeführt.`,
  wrongRows: (n) => `${more(n, 'Zeile wird', 'Zeilen werden')} ausgelassen`, lineIs: (n) => `Zeile ${n}`, featureIs: (n) => `Objekt ${n}`,
  nothingToImport: 'Die Datei würde nichts ändern.', atomicRefused: 'Solange eine Zeile ausgelassen wird, wird nichts geändert: Bessern Sie die Datei aus, oder verzichten Sie auf „alles oder nichts“.',
  into: (file, lot) => `${file}, in ${lot}`,
  importCount: (n) => `${more(n, 'Platz', 'Plätze')} importieren`, importLots: (n) => `${more(n, 'Parkfläche', 'Parkflächen')} importieren`,
  imported: 'Es ist importiert', anotherFile: 'Andere Datei',
  noLotFile: 'Das ist keine Tabelle mit einer Spalte „id“ und keine GeoJSON-FeatureCollection.',
};
