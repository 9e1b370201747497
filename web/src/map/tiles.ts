// What lies under the spots: tiles, where the operator has set some.
import type { Api } from '../live/api';

export interface Tiles {
  readonly url: string;
  readonly attribution?: string;
  readonly maxZoom: number;
}

/** Undefined: there are none, or nobody can say. The map is there all the same. */
export async function fetchTiles(api: Api): Promise<Tiles | undefined> {
  try {
    const { tiles } = await api.ask<{ readonly tiles?: Tiles }>('GET', '/dashboard.json');
    return tiles && { ...tiles, url: tiles.url.startsWith('/') ? location.origin + tiles.url : tiles.url };
  } catch {
    return undefined;
  }
}
