/** Stands for a subject in what the browser keeps beyond the sign-in: it tells one from another, but not who it is (FNV-1a of 64 bits; whoever guesses a subject can see whether it was that one). */
export function markOf(subject: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(subject)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(36);
}
