// What a view says in the parameters of its address beyond one word: several of a list.

/** Those of the values that a parameter names, in their order. What is none of them is left out. */
export function several<T extends string>(query: URLSearchParams, name: string, values: readonly T[]): readonly T[] {
  const named = new Set(query.get(name)?.split(','));
  return values.filter((value) => named.has(value));
}

/** The same as a parameter. */
export const together = (values: readonly string[]): string | undefined => (values.length === 0 ? undefined : values.join(','));

/** The values with this one, or without it where it was among them. */
export const toggled = <T extends string>(values: readonly T[], value: T): readonly T[] =>
  values.includes(value) ? values.filter((each) => each !== value) : [...values, value];
