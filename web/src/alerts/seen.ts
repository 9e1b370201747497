// Up to which alert this browser has shown the list of them, for each subject. Nothing is kept before there was one, and nothing that says whose it is.
import { markOf } from './subject';

const name = 'parkwire.alerts-read';
const most = 50; // subjects, of which those that were here last stay

type Marks = Readonly<Record<string, number>>;

function marks(): Marks {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(name) ?? '{}');
    return typeof read === 'object' && read !== null ? (read as Marks) : {};
  } catch {
    return {}; // not ours, or the browser keeps nothing
  }
}

/** Undefined: it never has. */
export function lastSeen(subject: string): number | undefined {
  const mark: unknown = marks()[markOf(subject)];
  return typeof mark === 'number' ? mark : undefined;
}

export function rememberSeen(subject: string, sequence: number): void {
  try {
    const own = markOf(subject);
    const others = Object.entries(marks()).filter(([mark]) => mark !== own);
    localStorage.setItem(name, JSON.stringify(Object.fromEntries([...others.slice(1 - most), [own, sequence]])));
  } catch {
    // It counts as unread in the next page again.
  }
}
