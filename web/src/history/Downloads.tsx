import type { Api } from '../live/api';
import { words } from '../text/words';
import { FileLink } from '../ui/FileLink';
import type { Query } from './api';

/** As what a table may be kept, and how that is called. */
const formats = [['csv', 'CSV'], ['parquet', 'Parquet']] as const;

interface DownloadsProps {
  readonly api: Api;
  readonly path: string;
  readonly query: Query;
  /** What is in the files. */
  readonly what: string;
}

/** Links to the same as files. */
export const Downloads = ({ api, path, query, what }: DownloadsProps) => (
  <p class="downloads">
    {words.history.asFile}
    {formats.map(([format, name]) => (
      <FileLink key={format} api={api} path={path} query={{ ...query, format }} name={`parkwire.${format}`}>
        {name}<span class="unseen"> · {what}</span>
      </FileLink>
    ))}
  </p>
);
