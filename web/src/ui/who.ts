// The account of the one who looks at the page, for every view.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Account } from '../identity/account';

export const Who = createContext<Account | undefined>(undefined);

export function useAccount(): Account {
  const account = useContext(Who);
  if (!account) throw new Error('This view is shown outside of Who.');
  return account;
}
