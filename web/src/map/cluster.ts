// Lots that lie close together on the screen have one sign, until one comes nearer.
import type { Flat } from './geo';

export interface Placed extends Flat {
  readonly id: string;
}

export interface Cluster extends Flat {
  readonly ids: readonly string[];
}

/** How near two signs may be, in pixels, at a zoom, in the Mercator square. */
export const reachAt = (zoom: number, pixels: number): number => pixels / (512 * 2 ** zoom);

/** Joins what is nearer than reach to the middle of a cluster. The same points give the same clusters, whatever moves in them. */
export function clustered(points: readonly Placed[], reach: number): Cluster[] {
  const clusters: { ids: string[]; x: number; y: number }[] = [];
  for (const { id, x, y } of points) {
    const near = clusters.find((cluster) => Math.abs(cluster.x - x) < reach && Math.abs(cluster.y - y) < reach * 0.35); // signs are wider than high
    if (!near) {
      clusters.push({ ids: [id], x, y });
      continue;
    }
    const n = near.ids.push(id);
    near.x += (x - near.x) / n;
    near.y += (y - near.y) / n;
  }
  return clusters;
}
