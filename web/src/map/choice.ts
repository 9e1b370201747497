// What is chosen on the map, as it stands in the address: a lot, a spot, the statuses that are shown, and the viewpoint.
import { computed } from '@preact/signals';
import { isStatus, statuses, type Status } from '../live/wire';
import { query, setQuery } from '../ui/router';
import { readViewpoint, writeViewpoint, type Viewpoint } from './viewpoint';

export const chosenLot = computed(() => query.value.get('lot') ?? undefined);
export const chosenSpot = computed(() => query.value.get('spot') ?? undefined);
const at = computed(() => query.value.get('at') ?? '');
export const viewpoint = computed(() => readViewpoint(at.value));

const list = computed(() => query.value.get('status') ?? '');
/** The statuses that were chosen; none: all are shown. */
export const chosenStatuses = computed<readonly Status[]>(() => list.value.split(',').filter(isStatus));
export const shownStatuses = computed<ReadonlySet<Status>>(() => new Set(chosenStatuses.value.length > 0 ? chosenStatuses.value : statuses));

/** The map goes to what is chosen. */
export const chooseLot = (lotId: string | undefined): void => setQuery({ lot: lotId, spot: undefined, at: undefined });
export const chooseSpot = (spotId: string): void => setQuery({ spot: spotId, at: undefined });

/** The same, and the map stays where it is. */
export const pickSpot = (spotId: string | undefined, from: Viewpoint): void => setQuery({ spot: spotId, at: writeViewpoint(from) });
export const dropSpot = (): void => setQuery({ spot: undefined });
export const keepViewpoint = (from: Viewpoint): void => setQuery({ at: writeViewpoint(from) });

export function toggleStatus(status: Status): void {
  const before = chosenStatuses.peek();
  const after = before.includes(status) ? before.filter((each) => each !== status) : statuses.filter((each) => each === status || before.includes(each));
  setQuery({ status: after.length === statuses.length ? undefined : after.join(',') });
}
