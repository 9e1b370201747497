import type { Words } from '../words';

export const table: Words['table'] = {};
