import type { Session } from '../live/session';
import { words } from '../text/words';
import { FileLink } from '../ui/FileLink';
import type { View } from './view';

const formats = [['csv', 'CSV'], ['geojson', 'GeoJSON']] as const;

/** The same spots as files that an import reads again, as far as the platform narrows them: it knows lots, zones and statuses. */
export function Files({ session, view }: { session: Session; view: View }) {
  const isWider = view.text !== '' || view.category !== undefined;
  return (
    <span class="files">
      {isWider ? words.table.filesWider : words.table.files}
      {formats.map(([format, name]) => (
        <FileLink
          key={format}
          api={session.api}
          path="/api/v1/spots"
          query={{ lot: view.lot, zone: view.zone, status: view.statuses, format }}
          name={`spots.${format}`}
        >
          {name}
        </FileLink>
      ))}
    </span>
  );
}
