import { useSignal } from '@preact/signals';
import type { Api } from '../live/api';
import { addressOf, ProblemError } from '../live/http';
import { words } from '../text/words';
import { useAccount } from '../ui/who';
import type { Query } from './api';

/** As what a table may be kept, and how that is called. */
const formats = [['csv', 'CSV'], ['parquet', 'Parquet']] as const;

const patience = 600_000; // milliseconds: files may be of years

interface DownloadsProps {
  readonly api: Api;
  readonly path: string;
  readonly query: Query;
  /** What is in the files. */
  readonly what: string;
}

/** Links to the same as files. Where somebody is signed in they are fetched with the token, which a link cannot carry. */
export function Downloads({ api, path, query, what }: DownloadsProps) {
  const account = useAccount();
  const busy = useSignal(false);
  const problem = useSignal('');
  const signedIn = account.person.value !== undefined;

  const fetchFile = async (format: string) => {
    if (busy.peek()) return;
    busy.value = true;
    problem.value = await save(api, path, { ...query, format }).then(() => '', (error: unknown) => textOf(error));
    busy.value = false;
  };

  return (
    <p class="downloads" aria-busy={busy.value}>
      {words.history.asFile}
      {formats.map(([format, name]) => (
        <a
          key={format}
          href={addressOf(path, { ...query, format })}
          download
          target="_self"
          aria-label={words.history.fileOf(what, name)}
          data-format={format}
          onClick={(event) => {
            if (!signedIn) return; // the browser does it, and needs no memory for it
            event.preventDefault();
            void fetchFile(format);
          }}
        >
          {name}
        </a>
      ))}
      {busy.value && <span>{words.history.fetching}</span>}
      {problem.value && <span role="alert">{problem.value}</span>}
    </p>
  );
}

/** Fetches a file and hands it to the browser, under the name that the platform gives it. */
async function save(api: Api, path: string, query: Query): Promise<void> {
  const { body, headers } = await api.exchange<Blob>('GET', path, { query, as: 'blob', patience });
  const address = URL.createObjectURL(body);
  const link = document.createElement('a');
  link.href = address;
  link.download = nameIn(headers.get('content-disposition')) ?? `parkwire.${String(query.format)}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // when it has surely been taken
}

export const nameIn = (disposition: string | null): string | undefined => /filename="?([^";]+)"?/.exec(disposition ?? '')?.[1];

function textOf(error: unknown): string {
  if (!(error instanceof ProblemError)) return String(error);
  const { title, detail } = words.common.problem(error.problem);
  return detail ?? title;
}
