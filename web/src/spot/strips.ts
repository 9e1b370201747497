// The time of a spot as strips, by the clocks of its lot: one strip for a span of hours, or one for each day.
import type { SpotInterval } from '../history/wire';
import { wall, wallAt } from '../history/times';
import { isStatus, type Status } from '../live/wire';

const day = 86_400_000; // milliseconds

export interface Piece {
  /** Nothing is known of a time for which the log has a hole. */
  readonly status: Status;
  /** By the clocks, as times whose UTC fields they are. */
  readonly from: number;
  readonly to: number;
}

export interface Strip {
  readonly from: number;
  readonly to: number;
  readonly pieces: readonly Piece[];
}

/** What each interval was until when, up to the present. asOf is up to when the service knows. */
export function piecesOf(intervals: readonly SpotInterval[], asOf: string): Piece[] {
  return intervals.flatMap(({ status, begin, end }) => {
    const from = wall(begin);
    const to = end === undefined ? wallAt(Date.parse(asOf), begin) : wall(end);
    return to > from ? [{ status: isStatus(status) ? status : ('unknown' as const), from, to }] : []; // clocks that were put back
  });
}

/** One strip from begin to end; what is outside of it is cut off. */
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
  for (const { status, from, to } of pieces) {
    sums.set(status, (sums.get(status) ?? 0) + to - from);
    all += to - from;
  }
  return [...sums].sort(([, a], [, b]) => b - a).map(([status, sum]) => ({ status, share: sum / all, minutes: sum / 60_000 }));
}

/** Hours that are marked below a strip: six of them at most. */
export function hoursOf({ from, to }: Pick<Strip, 'from' | 'to'>): readonly number[] {
  const every = 3_600_000 * Math.max(1, Math.ceil((to - from) / 3_600_000 / 6));
  const hours: number[] = [];
  for (let hour = Math.ceil(from / every) * every; hour < to; hour += every) hours.push(hour);
  return hours;
}
