import type { Words } from '../words';

export const map: Words['map'] = {};
