import { useRef } from 'preact/hooks';
import { words } from '../text/words';
import { alertsPath } from '../ui/router';
import type { Book } from './book';
import { mostChannels } from './draft';
import { ThisBrowser } from './ThisBrowser';
import type { PartProps } from './WhereFields';

/** Where the alert is sent beside this page. */
export function WaysFields({ book, draft, set, subject }: PartProps & { book: Book; subject: string }) {
  const { alerts } = words;
  const channels = book.channels.value ?? [];
  const toggle = (id: string) => set({ channels: draft.channels.includes(id) ? draft.channels.filter((each) => each !== id) : [...draft.channels, id] });
  const latest = useRef(draft);
  latest.current = draft;
  const add = (id: string) => { // by the draft as it is when the browser has subscribed
    const { channels: before } = latest.current;
    if (!before.includes(id)) set({ channels: [...before, id] });
  };
  const full = draft.channels.length >= mostChannels;
  return (
    <fieldset>
      <legend>{alerts.ways}</legend>
      <p class="quiet">{alerts.alwaysInPage}</p>
      {channels.map(({ id, name, kind, state }) => (
        <label key={id} class="option">
          <input type="checkbox" name="channel" value={id} checked={draft.channels.includes(id)} disabled={full && !draft.channels.includes(id)} onChange={() => toggle(id)} />
          <span>
            {name} <small>{alerts.kind[kind]}{state !== 'active' && ` · ${alerts.channelState[state]}`}</small>
          </span>
        </label>
      ))}
      <ThisBrowser book={book} subject={subject} brief onSubscribed={({ id }) => add(id)} />
      <p><a href={alertsPath({ show: 'ways' })} target="_blank" rel="noopener">{alerts.moreWays}</a></p>
    </fieldset>
  );
}
