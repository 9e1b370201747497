import type { Words } from '../words';

export const spot: Words['spot'] = {
  title: 'Platz',
  since: 'seit',
};
