import type { Words } from '../words';

export const alerts: Words['alerts'] = {};
