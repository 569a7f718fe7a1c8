import { createLocalJWKSet, errors } from 'jose';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import type { OutgoingCalls } from '../outgoing/outgoing-calls.js';
import { cannotVerify } from './login-required.js';

/** Where keys come from. */
export interface RemoteKeysOptions {
  readonly calls: Pick<OutgoingCalls, 'call'>;
  /** The URL of the key set (RFC 7517); asked for each time that the keys are. */
  readonly url: () => string | Promise<string>;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** Keys are asked for again after this time, so that withdrawn ones go. */
const FRESH_MS = 10 * 60_000;
/** While the issuer does not answer, its last keys are believed this long. */
const STALE_MS = 60 * 60_000;
/** Tokens with keys that nobody knows make the server ask at most this often. */
const COOLDOWN_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

interface Fetched {
  readonly keys: JWTVerifyGetKey;
  readonly at: number;
}

/**
 * The keys of an issuer, fetched when the first token comes. A key that is not among them is looked for once in 30
 * seconds; after a failure nobody is asked for a while, which grows.
 */
export function remoteKeys(options: RemoteKeysOptions): JWTVerifyGetKey {
  const source = new RemoteKeySource(options);
  return (header, token) => source.find(header, token);
}

class RemoteKeySource {
  private fetched: Fetched | undefined;
  private pending: Promise<Fetched> | undefined;
  private failures = 0;
  private notBefore = 0;

  constructor(private readonly options: RemoteKeysOptions) {}

  readonly find: JWTVerifyGetKey = async (header, token) => {
    const { keys } = await this.current();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.mayLookAgain()) throw error;
    }
    const renewed = await this.fetch();
    return renewed.keys(header, token);
  };

  private async current(): Promise<Fetched> {
    const { fetched, options } = this;
    const age = fetched ? options.clock() - fetched.at : Infinity;
    if (fetched && age < FRESH_MS) return fetched;
    try {
      return await this.fetch();
    } catch (error) {
      if (fetched && age < STALE_MS) return fetched;
      throw error;
    }
  }

  private mayLookAgain(): boolean {
    return this.options.clock() - (this.fetched?.at ?? 0) >= COOLDOWN_MS;
  }

  /** Whoever comes meanwhile waits for the same answer. */
  private fetch(): Promise<Fetched> {
    if (this.pending) return this.pending;
    if (this.options.clock() < this.notBefore) return Promise.reject(cannotVerify());
    const pending = this.fetchNow().finally(() => (this.pending = undefined));
    this.pending = pending;
    return pending;
  }

  private async fetchNow(): Promise<Fetched> {
    const { calls, url, clock } = this.options;
    try {
      const { status, text } = await calls.call({ url: await url() });
      if (status !== 200) throw new Error(`The key set was answered with ${status}.`);
      const keys = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
      this.fetched = { keys, at: clock() };
      this.failures = 0;
      return this.fetched;
    } catch (error) {
      this.notBefore = clock() + Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
      this.failures = Math.min(this.failures + 1, 10);
      throw cannotVerify(error);
    }
  }
}
