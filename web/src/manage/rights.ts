import type { Account } from '../identity/account';

/** Whether somebody may change anything at all, in whichever lot. */
export function operates(account: Account): boolean {
  const { lots } = account.person.value ?? {};
  return account.may('operate', lots ? (lots[0] ?? '') : '');
}
