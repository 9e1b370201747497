// Names and their order.
import { orderKey } from './search';

/** A-2 before A-10. It prepares both names each time, so it is for short lists. */
export const inOrder = (a: string, b: string): number => compare(orderKey(a), orderKey(b)) || compare(a, b);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const separator = /[-_./: ]/;
const roomy = 5; // characters that a bay has room for

/**
 * The labels without what all of them begin with, where they are too long for a bay: "north-L2-A017" in a
 * zone in which every label begins with "north-L2-" becomes "A017". Cut is only after a separator.
 */
export function shortened(labels: readonly string[]): string[] {
  if (labels.length < 2 || labels.every((label) => label.length <= roomy)) return [...labels];
  let common = 0;
  const first = labels[0]!;
  for (let i = 0; i < first.length && labels.every((label) => label[i] === first[i] && label.length > i + 1); i++) {
    if (separator.test(first[i]!)) common = i + 1;
  }
  return labels.map((label) => label.slice(common));
}
