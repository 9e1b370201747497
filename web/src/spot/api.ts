import type { Api } from '../live/api';
import type { EntryPage, SpotFacts } from './wire';

const pathOf = (spotId: string) => `/api/v1/spots/${encodeURIComponent(spotId)}`;
const pageLength = 50; // entries

export class SpotApi {
  constructor(private readonly api: Api) {}

  facts(spotId: string, signal: AbortSignal): Promise<SpotFacts> {
    return this.api.ask('GET', pathOf(spotId), { signal });
  }

  /** What happened to it, the newest first; also of one that was removed. */
  entries(spotId: string, cursor: string | undefined): Promise<EntryPage> {
    return this.api.ask('GET', `${pathOf(spotId)}/history`, { query: { limit: pageLength, cursor } });
  }
}
