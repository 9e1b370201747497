import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Api } from '../live/api';
import { addressOf, ProblemError, type Sending } from '../live/http';
import { words } from '../text/words';
import { useAccount } from './who';
import './filters.css';

const patience = 600_000; // milliseconds: a file may be large

interface FileLinkProps {
  readonly api: Api;
  readonly path: string;
  readonly query: NonNullable<Sending['query']>;
  /** What it is called where the platform gives it no name. */
  readonly name: string;
  readonly children: ComponentChildren;
}

/** A link to a file of the platform. Where somebody is signed in it is fetched with the token, which a link cannot carry. */
export function FileLink({ api, path, query, name, children }: FileLinkProps) {
  const signedIn = useAccount().person.value !== undefined;
  const busy = useSignal(false);
  const problem = useSignal('');
  const fetchFile = async () => {
    if (busy.peek()) return;
    busy.value = true;
    problem.value = await save(api, path, query, name).then(() => '', textOf);
    busy.value = false;
  };
  return (
    <>
      <a
        class="as-file"
        href={addressOf(path, query)}
        download
        target="_self"
        aria-busy={busy.value}
        onClick={(event) => {
          if (!signedIn) return; // the browser does it, and needs no memory for it
          event.preventDefault();
          void fetchFile();
        }}
      >
        {children}
      </a>
      {problem.value && <span role="alert">{problem.value}</span>}
    </>
  );
}

/** Fetches the file and hands it to the browser, under the name that the platform gives it. */
async function save(api: Api, path: string, query: FileLinkProps['query'], name: string): Promise<void> {
  const { body, headers } = await api.exchange<Blob>('GET', path, { query, as: 'blob', patience });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(body);
  link.download = /filename="?([^";]+)"?/.exec(headers.get('content-disposition') ?? '')?.[1] ?? name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // when it has surely been taken
}

function textOf(error: unknown): string {
  if (!(error instanceof ProblemError)) return String(error);
  const { title, detail } = words.common.problem(error.problem);
  return detail ?? title;
}
