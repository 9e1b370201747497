import { problemOf, type Problem } from '../live/http';
import type { Session } from '../live/session';
import { words } from '../text/words';
import { finish } from './acting';
import { ManageApi } from './api';
import { lotForm, lotOf } from './forms';
import type { LotEntry } from './lotfile';

/** Does what a file says of one lot, where the lot still is as the preview showed it. */
export async function writeLot({ api: rest, parking }: Session, { id, change, values, fields, patch }: LotEntry): Promise<Problem | undefined> {
  const api = new ManageApi(rest);
  if (change === 'added') return finish(parking.proposeLot(id, lotOf(values, undefined)), api.addLot(patch));
  try {
    const { item, etag } = await api.lot(id);
    const now = lotForm.values(item);
    if (fields.some(({ field, from }) => now[field] !== (from ?? ''))) return { title: words.manage.changedMeanwhile };
    return await finish(parking.proposeLot(id, lotOf(values, item)), api.editLot(id, patch, etag));
  } catch (error) {
    return problemOf(error);
  }
}
