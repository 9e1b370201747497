// Up to which alert this browser has shown the list of them, for each subject. Nothing is kept before there was one.
const name = 'parkwire.alerts-seen';

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
  const mark: unknown = marks()[subject];
  return typeof mark === 'number' ? mark : undefined;
}

export function rememberSeen(subject: string, sequence: number): void {
  try {
    localStorage.setItem(name, JSON.stringify({ ...marks(), [subject]: sequence }));
  } catch {
    // It counts as unread in the next page again.
  }
}
