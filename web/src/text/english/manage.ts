// The words of changing lots, zones and spots, one by one or by a file.
import type { Action } from '../../live/api';
import { number } from '../format';
import { common } from './common';

const more = (n: string, one: string, many: string): string => `${n} ${n === '1' ? one : many}`;

const act = (action: Action | 'reserve'): string => (action === 'reserve' ? 'Reserve' : common.action[action]);
const { term } = common;

/** What a file may say of a spot. */
const importFields: Record<string, string> = {
  spotId: 'id', lotId: 'lot', zoneId: 'zone', name: 'name', category: 'category', lat: 'latitude', lon: 'longitude', location: 'place', heartbeatSeconds: 'heartbeat',
  status: 'status', occupancy: 'occupancy', closed: 'closed', faulted: 'out of service', observedAt: 'seen at',
};

export const manage = {
  act,
  // A spot
  changeReservation: 'Change reservation', editSpot: 'Edit the spot',
  done: (spot: string, what: string): string => `${spot}: “${what}” is done.`,
  reservedFor: (reference: string | undefined, until: string | undefined): string =>
    `Reserved${reference === undefined ? '' : ` for ${reference}`}${until === undefined ? ', until it is ended' : ` until ${until}`}.`,
  behind: (what: string): string => `Apart from that it is ${what}.`,
  silent: (sensor: string): string => `Its sensor ${sensor} is silent: whether a vehicle stands there is not known.`,
  notSeen: 'Whether a vehicle stands there is not known.',
  reference: 'For whom or what', referenceHint: 'A name or number that others recognise, such as order-1744. It may be left out.',
  until: 'Until', untilOther: 'Another time', untilEnded: 'Until it is ended', untilWhen: 'The time', deviceClock: 'By the clock of this device.',
  span: (minutes: number, until: string): string => `${minutes < 60 ? `${minutes} min` : `${minutes / 60} h`}, until ${until}`,
  // Who may
  mayNot: (person: string, may: string, lot: string | undefined): string =>
    `${person} ${may}. To change ${lot === undefined ? 'lots and spots' : 'this lot'} takes the permission to operate ${lot === undefined ? 'at least one lot' : 'it'}.`,
  signInFirst: 'To change lots and spots you must be signed in, with the permission to operate.',
  limited: (lots: string): string => `You may change these lots alone: ${lots}.`,
  // Lots
  addLot: 'Add a lot', searchLots: 'Search lots', noLotsYet: 'There are no lots that you may change yet. Add one, or import them from a file.', nothingFound: 'Nothing matches.',
  spotsFree: (total: string, free: string): string => `${more(total, 'spot', 'spots')}, ${free} free`,
  seeLot: 'See it live', parts: 'Parts of the lot', saved: 'Saved.', saving: 'Saving …',
  tab: { spots: 'Spots', zones: 'Zones', lot: term.lot },
  lotFields: { id: 'Id', name: 'Name', address: 'Address', timeZone: 'Time zone', lat: 'Latitude', lon: 'Longitude', heartbeat: 'Seconds of silence' },
  removeLot: 'Remove the lot', removeLotSure: (name: string): string => `${name} and its zones will be gone. What happened there stays in the history.`,
  lotHasSpots: (total: string): string => `It still has ${more(total, 'spot', 'spots')}. Remove them first.`,
  lotIsEmpty: 'It has no spots, and can be removed together with its zones.',
  idHint: 'Up to 128 characters without “/”. It is chosen once and stays.', timeZoneHint: 'Days and hours of the lot are counted in it, such as Europe/Berlin.',
  heartbeatHint: 'How long a sensor may be silent before its spot counts as unknown. Empty: for ever.',
  // Zones
  addZone: 'Add a zone', noZones: 'This lot has no zones. Zones are levels, rows, or sides of a street.', level: (level: number): string => `${term.level} ${number(level)}`,
  zoneFields: { id: 'Id', name: 'Name', level: term.level }, zoneIdHint: 'Unique on the whole platform, such as central-L1. It is chosen once and stays.', levelHint: 'A whole number; 0 is at street level.',
  removeZone: 'Remove the zone', removeZoneSure: (name: string): string => `${name} will be gone. It must have no spots.`,
  editOf: (name: string): string => `Edit ${name}`, removeOf: (name: string): string => `Remove ${name}`,
  // Spots
  addSpots: 'Add spots', addSpot: 'Add the spot', addMany: (n: string): string => `Add ${more(n, 'spot', 'spots')}`, howMany: 'How many', one: 'One spot', series: 'Many, numbered',
  spotFields: { id: 'Id', name: 'Name', zoneId: term.zone, category: term.category, lat: 'Latitude', lon: 'Longitude', heartbeat: 'Seconds of silence', status: term.status },
  spotNameHint: 'What is shown instead of the id. It may be left out.', spotHeartbeatHint: 'How long its sensor may be silent. Empty: as its lot has it.',
  export: 'As a file:', noZone: 'Without a zone', allZones: 'All zones', allStatuses: 'All statuses', searchSpots: 'Search spots', noSpots: 'This lot has no spots yet. Add some, or import them from a file.',
  spotsOf: (lot: string): string => `Spots of ${lot}`,
  seriesBefore: 'Before the number', seriesAfter: 'After the number', seriesFrom: 'First number', seriesTo: 'Last number',
  seriesIs: (n: string, first: string, last: string): string => `${more(n, 'spot', 'spots')}: ${first} … ${last}`,
  noSeries: 'Give two whole numbers, the first not greater than the last, for up to 10,000 spots.',
  removeSpot: 'Remove the spot', removeSpots: 'Remove them', removeForGood: 'Remove for good',
  removeSpotSure: 'It will be gone from every view. What happened there stays in the history.',
  removeSpotsSure: (n: string): string => `${more(n, 'spot', 'spots')} will be gone from every view. What happened there stays in the history.`,
  pick: (name: string): string => `Pick ${name}`, pickPage: 'Pick all of this page', pickAll: (n: string): string => `Pick all ${n} that match`, pickNone: 'Pick none',
  picked: (n: string): string => `${n} picked`, doToPicked: 'Do to those picked …', doIt: 'Do it',
  bulkDone: (done: string, refused: string): string => `${more(done, 'spot was', 'spots were')} changed.${refused === '0' ? '' : ` ${more(refused, 'was', 'were')} refused and ${refused === '1' ? 'stays' : 'stay'} picked:`}`,
  stop: 'Stop', bulkLeft: (left: string): string => `It was stopped: ${more(left, 'was', 'were')} left as ${left === '1' ? 'it is and stays' : 'they are and stay'} picked.`,
  refused: 'Refused', pages: 'Pages of the list', before: 'Back', after: 'Next', range: (from: string, to: string, total: string): string => `${from}–${to} of ${total}`,
  // Two who change the same
  clash: 'Somebody else has changed the same meanwhile:',
  clashField: (field: string, theirs: string, yours: string): string => `${field}: now “${theirs}”, yours is “${yours}”`,
  clashChoice: 'Save once more to have it your way, or take theirs.', takeTheirs: 'Take theirs', saveMine: 'Save mine',
  changedMeanwhile: 'Somebody else has changed it since the file was read. Choose the file again to see what it would change now.',
  // What is wrong
  faults: {
    missing: 'This is needed.', id: 'Up to 128 characters, without “/” and without space at its ends.', long: 'This is too long.',
    lat: 'A number of degrees from -90 to 90, such as 48.137.', lon: 'A number of degrees from -180 to 180, such as 11.575.', both: 'A place has both, latitude and longitude.',
    heartbeat: 'A whole number of seconds up to 604,800, a week.', level: 'A whole number from -100 to 1000.', timeZone: 'There is no time zone of this name; Europe/Berlin is one.',
    future: 'This must be in the future.', twice: 'This lot is in the file already, further up.', forbidden: 'You may not change this lot.',
  },
  // Files
  whatToImport: 'What to import', source: 'The file', toLot: 'Into which lot', chooseLot: 'Choose a lot', chooseLotFirst: 'Choose the lot into which the file goes: then you see what it would change.',
  chooseFile: 'Choose a file, or drop it here', fileKinds: 'CSV with a header line, or GeoJSON. Nothing is changed before you have seen what would be.',
  pasted: 'Pasted text', fileSize: (n: string): string => `${n} characters.`, readAs: (encoding: string): string => `It is not UTF-8 and was read as ${encoding}.`,
  paste: 'Or paste text', exampleIs: 'Such a file may look like this:',
  createZones: 'Add zones that are named and not there', atomic: 'All or nothing: where one row is not right, nothing is changed',
  busy: { reading: 'Looking at what the file would change …', importing: 'Importing …' },
  preview: 'What it would change', nothing: 'nothing', becomes: 'becomes', place: 'Row', what: 'Change', fieldsOf: 'Fields',
  sum: { added: 'added', changed: 'changed', unchanged: 'as before', rejected: 'left out' },
  zonesToCome: (zones: string): string => `Zones that would be added: ${zones}.`,
  columnsRead: (read: string, all: string): string => `${read} of ${more(all, 'column is', 'columns are')} read`,
  leftOut: 'left out', readAsField: (field: string): string => `is the ${field}`, importField: (field: string): string => importFields[field] ?? field,
  showMore: (n: string): string => `Show more (${n})`, changesOmitted: (n: string): string => `${n} more are not listed.`,
  wrongRows: (n: string): string => `${more(n, 'row is', 'rows are')} left out`, lineIs: (n: string): string => `Line ${n}`, featureIs: (n: string): string => `Feature ${n}`,
  nothingToImport: 'The file would change nothing.', atomicRefused: 'Nothing will be changed as long as a row is left out: mend the file, or do without “all or nothing”.',
  into: (file: string, lot: string): string => `${file}, into ${lot}`,
  importCount: (n: string): string => `Import ${more(n, 'spot', 'spots')}`, importLots: (n: string): string => `Import ${more(n, 'lot', 'lots')}`,
  imported: 'It is imported', anotherFile: 'Another file',
  noLotFile: 'This is no table with a column “id”, and no GeoJSON FeatureCollection.',
};
