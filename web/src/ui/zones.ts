import { useEffect } from 'preact/hooks';
import type { Session } from '../live/session';

/** Sees to it that the names of these lots' zones are known and stay right, see Described.wantZones; until they are there, and where they do not come, their ids stand for them. */
export function useZones({ described }: Session, lotIds: readonly string[], oldest?: number): void {
  useEffect(() => {
    const ends = lotIds.map((lotId) => described.wantZones(lotId, oldest));
    return () => ends.forEach((end) => end());
  }, [described, lotIds.join('\n'), oldest]);
}

/** The name of a zone; its id, as long as it is not known. */
export const zoneName = ({ parking }: Session, lotId: string, zoneId: string): string =>
  parking.zonesOfLot(lotId).value.find(({ id }) => id === zoneId)?.name ?? zoneId;
