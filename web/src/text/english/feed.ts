import { clockTime } from '../format';

export const feed = {
  title: 'Changes', list: 'Changes, the newest first', showOf: 'Show changes of',
  nothingSince: (since: number): string => `Nothing has changed since ${clockTime(since)}.`,
  appearHere: 'Changes appear here the moment they are known.',
  gap: (since: number): string =>
    `Changes since ${clockTime(since)} are not all listed here: the connection was lost for too long, or too slow. Counts and spots are up to date.`,
};
