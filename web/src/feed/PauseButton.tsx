import type { Pace } from './useReader';
import type { Reader } from './reader';
import { number } from '../text/format';
import { words } from '../text/words';

/** Holds the lines still, and lets them go on. */
export const PauseButton = ({ paused, reader }: Pick<Pace, 'paused'> & { reader: Reader }) => (
  <button type="button" class="pause" aria-pressed={paused.value} data-testid="feed-pause" onClick={() => (paused.value = !paused.value)}>
    <svg viewBox="0 0 16 16" aria-hidden="true">{paused.value ? <path d="M4 2.5v11l9-5.5z" /> : <path d="M4 2.5h3v11H4zm5 0h3v11H9z" />}</svg>
    <span>{paused.value ? words.feed.goOn : words.feed.pause}</span>
    {paused.value && reader.waiting.value > 0 && <b>{number(reader.waiting.value)}</b>}
  </button>
);

/** What has come meanwhile, to somebody who reads further down. */
export function NewOnes({ reader, pace: { away, inside, paused }, show }: { reader: Reader; pace: Pace; show: () => void }) {
  const n = reader.waiting.value;
  if (n === 0 || paused.value || !(away.value || inside.value)) return null;
  return <button type="button" class="new-ones" data-testid="feed-new" onClick={show}>{words.feed.newOnes(n)}</button>;
}
