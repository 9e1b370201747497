/** Where a wall display goes on in what is longer than the screen: a little of what was seen stays, and after the end comes the beginning. */
export function nextTurn({ scrollTop, clientHeight, scrollHeight }: Pick<Element, 'scrollTop' | 'clientHeight' | 'scrollHeight'>): number {
  const last = scrollHeight - clientHeight;
  if (last <= 1) return scrollTop;
  return scrollTop >= last - 1 ? 0 : Math.min(last, scrollTop + Math.round(clientHeight * 0.9));
}
