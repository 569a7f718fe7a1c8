import { LRUCache } from 'lru-cache';
import { type KeySet, parseKeySet, type PublicKey } from '../../clients/key-set.js';
import type { StoredClient } from '../../storage/client-store.js';

/** What keys by URL are fetched with. */
export interface ClientKeysParts {
  /** The JSON at a URL. @throws Error where it cannot be had */
  readonly fetchJson: (url: string) => Promise<unknown>;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  /** Told of key sets that could not be fetched. */
  readonly onError: (url: string, error: unknown) => void;
}

interface Fetched {
  readonly keys: readonly PublicKey[];
  readonly at: number;
  /** Whether the last attempt, at `at`, failed. */
  readonly failed: boolean;
}

const MOST_SETS = 1_000;
/** A key that its owner withdraws is believed for this long. */
const FRESH_MS = 5 * 60 * 1000;
/** A key that its owner has just added is looked for this often, and one that cannot be had tried again. */
const AGAIN_MS = 15_000;

/** The public keys of clients: as registered, or what stands at the URL that is registered. */
export class ClientKeys {
  private readonly fetched = new LRUCache<string, Fetched>({ max: MOST_SETS });
  private readonly underWay = new Map<string, Promise<Fetched>>();

  constructor(private readonly parts: ClientKeysParts) {}

  /** None where they cannot be had; `kid` is the key that is needed. */
  async of({ jwks, jwksUrl }: StoredClient, kid: string): Promise<readonly PublicKey[]> {
    if (jwks !== null) return (JSON.parse(jwks) as KeySet).keys;
    if (jwksUrl === null) return [];
    const known = this.fetched.get(jwksUrl);
    if (known && !this.isDue(known, kid)) return known.keys;
    return (await this.once(jwksUrl)).keys;
  }

  private isDue({ keys, at, failed }: Fetched, kid: string): boolean {
    const age = this.parts.clock() - at;
    const isWanting = failed || !keys.some((key) => key.kid === kid);
    return age > (isWanting ? AGAIN_MS : FRESH_MS);
  }

  /** Whoever asks at the same time waits for the same answer. */
  private once(url: string): Promise<Fetched> {
    const running = this.underWay.get(url);
    if (running) return running;
    const started = this.fetch(url).finally(() => this.underWay.delete(url));
    this.underWay.set(url, started);
    return started;
  }

  private async fetch(url: string): Promise<Fetched> {
    const { fetchJson, clock, onError } = this.parts;
    let found: Fetched;
    try {
      found = { keys: parseKeySet(await fetchJson(url)).keys, at: clock(), failed: false };
    } catch (error) {
      onError(url, error);
      found = { keys: [], at: clock(), failed: true };
    }
    this.fetched.set(url, found);
    return found;
  }
}
