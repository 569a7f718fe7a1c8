import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const MAX_REMEMBERED = 10_000;
/** A key that its issuer withdraws, or a token that is revoked, is believed for this long. */
const MAX_REMEMBERED_MS = 5 * 60 * 1000;

interface Remembered<Value> {
  readonly value: Value;
  readonly until: number;
}

/** What became of tokens, by their hash: nobody who reads the memory of the process finds one here. */
export class RememberedTokens<Value> {
  private readonly known = new LRUCache<string, Remembered<Value>>({ max: MAX_REMEMBERED });

  /** @param clock - milliseconds since 1970 UTC */
  constructor(private readonly clock: () => number) {}

  get(token: string): Value | undefined {
    const known = this.known.get(hashOf(token));
    return known && known.until > this.clock() ? known.value : undefined;
  }

  /** Remembers it until `expires` (milliseconds since 1970 UTC), for five minutes at most. */
  set(token: string, value: Value, expires: number): void {
    const until = Math.min(expires, this.clock() + MAX_REMEMBERED_MS);
    this.known.set(hashOf(token), { value, until });
  }
}

function hashOf(token: string): string {
  return hash('sha256', token, 'base64');
}
