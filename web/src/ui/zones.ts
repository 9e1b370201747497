import { useEffect } from 'preact/hooks';
import type { Session } from '../live/session';

const asked = new WeakMap<Session, Set<string>>();

/** Sees to it that the names of these lots' zones are known. They are asked for once; until they are there, and where they do not come, their ids stand for them. */
export function useZones(session: Session, lotIds: readonly string[]): void {
  useEffect(() => {
    const already = asked.get(session) ?? new Set();
    asked.set(session, already);
    for (const lotId of lotIds) {
      if (already.has(lotId)) continue;
      already.add(lotId);
      void session.fetchZones(lotId);
    }
  }, [session, lotIds.join('\n')]);
}

/** The name of a zone; its id, as long as it is not known. */
export const zoneName = ({ parking }: Session, lotId: string, zoneId: string): string =>
  parking.zonesOfLot(lotId).value.find(({ id }) => id === zoneId)?.name ?? zoneId;
