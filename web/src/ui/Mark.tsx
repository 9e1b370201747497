import type { Status } from '../live/wire';

/** The sign of a status: a shape as well as a colour. The word beside it says the same to those who see neither. */
export const Mark = ({ status }: { status: Status }) => <i class="mark" data-status={status} aria-hidden="true" />;
