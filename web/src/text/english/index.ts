// English: the language that is always there. Each area has its words in a file of its own.
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

export const english = { common, shell, map, plan, table, spot, feed, history, manage, alerts };
