import { number } from '../format';
import type { Words } from '../words';
import { common } from './common';

export const history: Words['history'] = {
  range: { hour: 'Letzte Stunde', day: '24 Stunden', week: '7 Tage', month: '30 Tage', year: 'Ein Jahr' },
  measure: {
    occupancy: 'Belegt, in Prozent', turnover: 'Beendete Parkvorgänge je Stunde', stay: 'Median der Parkdauer, in Minuten', silent: 'Unbekannt, in Prozent',
  },
  problems: {
    'service-not-configured': { title: 'Hier gibt es keinen Verlauf', detail: 'In dieser Installation läuft kein Dienst für den Verlauf. Alles, was live ist, geht auch ohne ihn.' },
    'history-not-read': { title: 'Die Vergangenheit ist noch nicht bekannt', detail: 'Der Dienst für den Verlauf ist eben erst gestartet und liest, was geschehen ist. Es erscheint hier, sobald es bekannt ist.' },
    'database-unavailable': { title: 'Der Verlauf ist gerade nicht lesbar', detail: 'Seine Datenbank antwortet nicht. Alles, was live ist, läuft weiter, und diese Seite versucht es weiter.' },
    unavailable: { title: 'Der Verlauf ist gerade nicht lesbar', detail: 'Sein Dienst antwortet nicht. Alles, was live ist, läuft weiter, und diese Seite versucht es weiter.' },
    'lot-not-found': { title: 'Über die Vergangenheit dieser Parkfläche ist noch nichts bekannt', detail: 'Vielleicht ist sie so neu, dass der Dienst für den Verlauf noch nichts von ihr weiß. Diese Seite versucht es weiter.' },
    'zone-not-found': { title: 'Über die Vergangenheit dieser Zone ist nichts bekannt', detail: 'In ihr war nie ein Platz, oder sie gehört zu einer anderen Parkfläche.' },
  },
  title: (lot) => `Verlauf von ${lot}`,
  rangeLabel: 'Zeitraum', lastDay: 'Letzter Tag', earlier: 'Früher', later: 'Später', toPresent: 'Bis jetzt', zone: common.term.zone, wholeLot: 'Ganze Parkfläche',
  fetching: 'Wird geladen …', stillShown: 'Angezeigt wird der vorige Stand.',
  nothing: 'Über diese Zeit ist nichts bekannt.', time: 'Zeit',

  asOf: (time, zone, offset) => `Bekannt bis ${time}. Zeiten nach den Uhren der Parkfläche: ${zone}, jetzt UTC${offset}.`,
  behind: (time) => `Der Dienst für den Verlauf ist im Rückstand: Er weiß, was bis ${time} geschehen ist, und holt auf.`,
  silence: (share) => `In ${share} der Zeit wusste niemand, wie es um Plätze stand, weil ihre Sensoren schwiegen. Diese Zeit zählt nicht zur Auslastung: weder als frei noch als belegt.`,
  keptFrom: (day) => `Was vor ${day} war, wird nicht mehr aufbewahrt und fehlt hier.`,
  missing: (minutes) => `${minutes} Minuten werden nicht mehr einzeln aufbewahrt. In längeren Zeiten sind sie enthalten.`,

  now: 'Jetzt', nowMore: (occupied, offered) => `${occupied} von ${offered} belegt`,
  occupancy: 'Auslastung', onAverage: 'im Durchschnitt', occupiedShare: 'Belegt', fullest: 'Am vollsten', spots: 'Plätze',
  silent: 'Unbekannt', silentMore: 'Sensoren schwiegen; nicht mitgezählt',
  stays: 'Parkvorgänge', staysMore: (perHour, perSpot) => `${perHour} je Stunde, ${perSpot} je Platz`,
  turnover: 'Umschlag', arrivals: 'Ankünfte', departures: 'Abfahrten', staysEnded: 'Beendete Parkvorgänge', perHour: 'Je Stunde', perSpot: 'Je Platz',
  lengths: 'Parkdauer', median: 'Median', average: 'Durchschnitt', averageMore: (length) => `im Durchschnitt ${length}`,

  span: (first, last) => `${first} bis ${last}`,
  occupancyLabel: (span, most, mostAt, least, leastAt) =>
    `Auslastung, ${span}: höchstens ${most} (${mostAt}), mindestens ${least} (${leastAt}). Alle Werte stehen in der Tabelle.`,
  turnoverLabel: (span, stays, perHour, perSpot) =>
    `Beendete Parkvorgänge, ${span}: ${stays}, das sind ${perHour} je Stunde und ${perSpot} je Platz. Alle Werte stehen in der Tabelle.`,
  lengthsLabel: (span, median, average) =>
    `Dauer der Parkvorgänge, ${span}: Die Hälfte dauerte höchstens ${median}, im Durchschnitt waren es ${average}. Alle Werte stehen in der Tabelle.`,

  asTable: 'Als Tabelle', tableOf: (what) => `${what}, als Tabelle`,
  asFile: 'Als Datei:', fileOf: (what, format) => `${what} als ${format}`,

  sameDay: 'Nur innerhalb eines Tages',
  staysCounted: (completed, incomplete) =>
    `${completed} Parkvorgänge wurden von Anfang bis Ende gesehen.${incomplete > 0 ? ` Von ${number(incomplete)} weiteren ist Anfang oder Ende nicht bekannt; sie zählen nicht mit.` : ''}`,
  noStays: 'In dieser Zeit endete kein Parkvorgang.',
  percentOfStays: (percent) => `${percent} von 100 Parkvorgängen`, longest: 'Der längste', staysColumn: 'Anteil', noLongerThan: 'Dauerten höchstens',

  heatmap: 'Die Woche, Stunde für Stunde', heatmapOf: (from, to) => `Alle Stunden von ${from} bis ${to}, zusammengefasst.`,
  heatmapCaption: (measure) => `${measure}, nach Wochentag und Stunde`,
  measureLabel: 'Messgröße', spanLabel: 'Über wie viele Wochen', weeks: (n) => (n === 52 ? 'Ein Jahr' : `${n} Wochen`),
  peak: 'Stoßzeit', peakHours: (spans) => `Stoßzeiten: ${spans.join(', ')}.`,
  weekday: 'Tag', hour: 'Stunde', hours: (from, to) => `${from}–${to}`,
  cell: (day, hours, occupied, silent) => `${day} ${hours}: ${occupied} belegt, ${silent} unbekannt`,
  nothingKnown: 'nichts bekannt', allSilent: 'alle Sensoren schweigen',
};
