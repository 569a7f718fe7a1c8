import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { QueryParameter } from '../model/request.js';
import type { RowKey } from '../storage/search-store.js';
import type { SearchPlace } from './search-request.js';

/** Everything that the next page needs, so that no server has to remember a search. */
export interface PageState {
  readonly kind: 'search';
  readonly place: SearchPlace;
  /** The parameters that were applied, as on the first page. */
  readonly parameters: readonly QueryParameter[];
  /** The last row of the page before. */
  readonly after: RowKey;
  /** When the first page was asked for, ms since 1970 UTC: what is approximately then does not move with the pages. */
  readonly asOf: number;
  /** As on the first page; null where it was left out. */
  readonly total: number | null;
}

/** Seals and opens page links. */
export interface PageSeal {
  /** The key itself; see `pageKey`. */
  readonly key: Buffer;
  /** Milliseconds that a link lives. */
  readonly lifetime: number;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
}

/** What stands inside of a token. */
interface Sealed {
  readonly state: unknown;
  readonly partitions: readonly number[];
  readonly all: boolean;
  /** Of the access that it was made with; left out where there was none. */
  readonly access?: string;
  readonly expires: number;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
/** Random bytes are fetched for many nonces at once: asking the system for twelve costs more than the cipher. */
const POOL_BYTES = 4080;
const TAG_BYTES = 16;

const SECRET_BYTES = 32;

/** The secret of page links: the one that is given, or one that the storage keeps. */
export async function pageSecret(
  storage: { setting(key: string, create: () => string): Promise<string> },
  given: string | undefined,
): Promise<string> {
  return given ?? storage.setting('page-link-secret', () => randomBytes(SECRET_BYTES).toString('base64url'));
}

/** The key of page links, derived from the server's secret. All servers of one installation share the secret. */
export function pageKey(secret: string): Buffer {
  return createHmac('sha256', secret).update('bulkhead page links').digest();
}

/**
 * A token for `_page`. It is authenticated, so that it can't be altered, and encrypted, because row keys count
 * the writes of all tenants.
 */
export function sealPage(state: object, scope: PartitionScope, { key, lifetime, now }: PageSeal): string {
  const sealed: Sealed = {
    state,
    partitions: scope.partitions,
    all: scope.all,
    ...(scope.access && { access: scope.access.access.digest }),
    expires: now() + lifetime,
  };
  const nonce = takeNonce();
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(sealed), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url');
}

let pool = randomBytes(POOL_BYTES);

/** Bytes that are never given out twice: a nonce that is used again would break the seal. */
function takeNonce(): Buffer {
  if (pool.length < NONCE_BYTES) pool = randomBytes(POOL_BYTES);
  const nonce = pool.subarray(0, NONCE_BYTES);
  pool = pool.subarray(NONCE_BYTES);
  return nonce;
}

/**
 * The state inside of a token: what `sealPage` was given, as whoever holds the key has sealed nothing else.
 * @throws FhirError INVALID_PAGE_LINK where it was altered, UNKNOWN_PAGE_LINK where it has expired or belongs to
 *   another scope than the reader's
 */
export function openPage<State>(token: string, scope: PartitionScope, { key, now }: PageSeal): State {
  const sealed = JSON.parse(decrypt(token, key)) as Sealed;
  if (sealed.expires < now() || !isSameScope(sealed, scope)) {
    throw new FhirError('UNKNOWN_PAGE_LINK', 'This page link is not known here, or its time is over.');
  }
  return sealed.state as State;
}

/** All partitions stay all partitions when one is added. */
function isSameScope({ partitions, all, access }: Sealed, scope: PartitionScope): boolean {
  if (access !== scope.access?.access.digest) return false;
  if (all || scope.all) return all && scope.all;
  const own = new Set<number>(scope.partitions);
  return own.size === partitions.length && partitions.every((id) => own.has(id));
}

function decrypt(token: string, key: Buffer): string {
  const bytes = Buffer.from(token, 'base64url');
  // Decoding passes over stray characters; only the exact text that was given out is a link.
  if (bytes.toString('base64url') !== token) throw altered();
  const end = bytes.length - TAG_BYTES;
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(end));
    return decipher.update(bytes.subarray(NONCE_BYTES, end), undefined, 'utf8') + decipher.final('utf8');
  } catch (error) {
    throw altered(error);
  }
}

function altered(cause?: unknown): FhirError {
  return new FhirError('INVALID_PAGE_LINK', 'This page link was altered or cut.', { cause });
}
