// The time of a spot as strips, by the clocks of its lot: one strip for a span of hours, or one for each day. Clocks are put forward and
// back: how long something took is reckoned from its moments, the clocks say where it is drawn and what it is called.
import type { SpotInterval } from '../history/wire';
import { offsetOf, wallAt } from '../history/times';
import { isStatus, type Status } from '../live/wire';

const day = 86_400_000; // milliseconds

/** Where a time is drawn: by the clocks, as times whose UTC fields they are. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface Piece extends Stretch {
  /** Nothing is known of a time for which the log has a hole. */
  readonly status: Status;
  /** When it began and ended (epoch, milliseconds). Where clocks were put back meanwhile, `to` may lie before `from`. */
  readonly begin: number;
  readonly end: number;
  /** The offsets of the clocks at both, where they differ. */
  readonly turned?: readonly [begin: string, end: string];
}

export interface Strip extends Stretch {
  readonly pieces: readonly Piece[];
}

/** What each interval was until when, within the time from..to of an answer, of which asOf is up to when the service knows. */
export function piecesOf(intervals: readonly SpotInterval[], from: string, to: string, asOf: string): Piece[] {
  const first = Date.parse(from);
  const last = Date.parse(asOf);
  return intervals.flatMap(({ status, begin: since, end: until }) => {
    const [begin, end] = [Math.max(first, Date.parse(since)), Math.min(last, until === undefined ? last : Date.parse(until))];
    if (end <= begin) return [];
    const beganAs = begin === first ? from : since;
    const endedAs = until === undefined || end < Date.parse(until) ? to : until;
    const offsets = [offsetOf(beganAs), offsetOf(endedAs)] as const;
    return [{
      status: isStatus(status) ? status : 'unknown', begin, end, from: wallAt(begin, beganAs), to: wallAt(end, endedAs),
      ...(offsets[0] !== offsets[1] && { turned: offsets }),
    } satisfies Piece];
  });
}

/** One strip from begin to end; what is outside of it is cut off, and what clocks that were put back have hidden is not drawn. */
export const strip = (pieces: readonly Piece[], from: number, to: number): Strip => ({
  from,
  to,
  pieces: pieces.flatMap((piece) => {
    const cut = { ...piece, from: Math.max(from, piece.from), to: Math.min(to, piece.to) };
    return cut.to > cut.from ? [cut] : [];
  }),
});

/** A strip for each day of the calendar, the newest first, all of them as long as a day. */
export function stripsByDay(pieces: readonly Piece[], from: number, to: number): Strip[] {
  const strips: Strip[] = [];
  for (let begin = Math.floor(from / day) * day; begin < to; begin += day) strips.unshift(strip(pieces, begin, begin + day));
  return strips;
}

/** How much of the time that is known of it was what, the most first. */
export function sharesOf(pieces: readonly Piece[]): readonly { readonly status: Status; readonly share: number; readonly minutes: number }[] {
  const sums = new Map<Status, number>();
  let all = 0;
  for (const { status, begin, end } of pieces) {
    sums.set(status, (sums.get(status) ?? 0) + end - begin);
    all += end - begin;
  }
  return [...sums].sort(([, a], [, b]) => b - a).map(([status, sum]) => ({ status, share: sum / all, minutes: sum / 60_000 }));
}

/** Hours that are marked below a strip: six of them at most, and none so near the end that its name would reach beyond. */
export function hoursOf({ from, to }: Stretch): readonly number[] {
  const minutes = Math.floor((to - from) / 60_000); // the present is a moment behind the day that was asked for
  const every = 3_600_000 * Math.max(1, Math.ceil(minutes / 60 / 6));
  const last = to - (to - from) / 8;
  const hours: number[] = [];
  for (let hour = Math.ceil(from / every) * every; hour <= last; hour += every) hours.push(hour);
  return hours;
}
