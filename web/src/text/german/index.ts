// German, in the same areas as English. It is fetched when it is wanted.
import type { Words } from '../words';
import { alerts } from './alerts';
import { common } from './common';
import { feed } from './feed';
import { history } from './history';
import { manage } from './manage';
import { map } from './map';
import { plan } from './plan';
import { shell } from './shell';
import { spot } from './spot';
import { table } from './table';

export const german: Words = { common, shell, map, plan, table, spot, feed, history, manage, alerts };
