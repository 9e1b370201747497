import type { Words } from '../words';

export const manage: Words['manage'] = {};
