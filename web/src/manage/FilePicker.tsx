import { useSignal } from '@preact/signals';
import { useId, useRef } from 'preact/hooks';
import { number } from '../text/format';
import { words } from '../text/words';
import { readFile, sourceOf, type SourceFile } from './files';

interface FilePickerProps {
  readonly file: SourceFile | undefined;
  readonly take: (file: SourceFile) => void;
  /** What such a file may look like. */
  readonly example: string;
}

/** Takes a file that is chosen or dropped, or text that is pasted. */
export function FilePicker({ file, take, example }: FilePickerProps) {
  const id = useId();
  const over = useSignal(false);
  const latest = useRef<File | undefined>(undefined);
  const open = async (chosen: File | undefined) => {
    if (!chosen) return;
    latest.current = chosen;
    const content = await chosen.arrayBuffer();
    if (chosen === latest.current) take(readFile(chosen.name, content)); // else a smaller one was chosen meanwhile
  };
  return (
    <div class="picker">
      <div
        class="drop" data-over={over.value || undefined}
        onDragOver={(event) => { event.preventDefault(); over.value = true; }}
        onDragLeave={() => (over.value = false)}
        onDrop={(event) => { event.preventDefault(); over.value = false; void open(event.dataTransfer?.files[0]); }}
      >
        <input
          class="unseen" id={id} type="file" accept=".csv,.tsv,.txt,.json,.geojson,text/csv,application/geo+json,application/json"
          onChange={(event) => { void open(event.currentTarget.files?.[0]); event.currentTarget.value = ''; }}
        />
        <label for={id}>{words.manage.chooseFile}</label>
        <p class="quiet">{words.manage.fileKinds}</p>
      </div>
      {file && (
        <p data-testid="file">
          <b>{file.name || words.manage.pasted}</b> {words.manage.fileSize(number(file.text.length))}
          {file.encoding !== undefined && ` ${words.manage.readAs(file.encoding)}`}
        </p>
      )}
      <details>
        <summary>{words.manage.paste}</summary>
        <textarea
          rows={6} aria-label={words.manage.paste} placeholder={example} spellcheck={false}
          onChange={(event) => event.currentTarget.value.trim() !== '' && take(sourceOf('', event.currentTarget.value))}
        />
        <p class="quiet">{words.manage.exampleIs}</p>
        <pre tabIndex={0}><code>{example}</code></pre>
      </details>
    </div>
  );
}
