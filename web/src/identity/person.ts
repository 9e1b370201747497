// Whoever is signed in, and what they may do.

/** The scopes, each including those before it. */
const scopes = ['read', 'ingest', 'operate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Whose a token is, as the platform says it. */
export interface Principal {
  readonly subject: string;
  readonly scopes: readonly string[];
  /** Absent: all. */
  readonly lots?: readonly string[];
}

export interface Person extends Omit<Principal, 'scopes'> {
  readonly name: string;
  /** The strongest scope, which includes those before it. */
  readonly scope: Scope | undefined;
}

/** Name is what the provider calls them, where there is one. */
export function personOf({ scopes: held, ...rest }: Principal, name: string | undefined): Person {
  return { ...rest, name: name ?? rest.subject, scope: scopes.findLast((scope) => held.includes(scope)) };
}

/** Whether somebody may do what needs the scope; of lots, whether the token is for this one, or, where none is named, for any. */
export function may(person: Person | undefined, scope: Scope, lotId?: string): boolean {
  const { scope: held, lots } = person ?? {};
  if (held === undefined || scopes.indexOf(held) < scopes.indexOf(scope)) return false;
  return lots === undefined || (lotId === undefined ? lots.length > 0 : lots.includes(lotId));
}
