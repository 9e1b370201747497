// Finding and ordering names, of which there may be tens of thousands: what is compared is made once for each.

/** Text without case and accents: "Straße Süd" and "strasse sud" are alike. */
export const folded = (text: string): string =>
  isPlain.test(text) ? text.toLowerCase() : text.normalize('NFD').replace(/\p{M}+/gu, '').toLowerCase().replaceAll('ß', 'ss');

const isPlain = /^[\x20-\x7e]*$/; // as most are: folded at a tenth of the cost

/** The words that somebody looks for. */
export const termsOf = (text: string): readonly string[] => folded(text).split(/\s+/).filter((term) => term !== '');

/** Whether all of them are in a folded text. */
export const hasTerms = (text: string, terms: readonly string[]): boolean => terms.every((term) => text.includes(term));

/**
 * A key by which names stand as people expect them, A-2 before A-10 and a-3, when the keys are compared by `<`: each number begins with how many digits
 * it has. It is the same in every language, so that all who look at a list see the same order.
 */
export const orderKey = (text: string): string =>
  folded(text).replace(/\d+/g, (digits) => {
    const number = digits.replace(/^0+(?=\d)/, '');
    return String(Math.min(99, number.length)).padStart(2, '0') + number;
  });
