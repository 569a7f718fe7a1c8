import { createPublicKey } from 'node:crypto';
import { FhirError } from '../model/errors.js';

/** A public key in the form of RFC 7517, with what is needed of it and nothing else. */
export interface PublicKey {
  readonly kid: string;
  readonly kty: 'RSA' | 'EC';
  readonly alg: 'RS384' | 'ES384';
  readonly [member: string]: string;
}

/** A set of public keys. */
export interface KeySet {
  readonly keys: readonly PublicKey[];
}

/** Most keys of one client, which may all have to be tried. */
export const MOST_KEYS = 20;

const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 8192;
const MEMBERS = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'] } as const;
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * The keys of a set that assertions may be signed with: RSA of 2048 to 8192 bits for RS384, P-384 for ES384, each with a
 * `kid`. Others are left out.
 * @throws FhirError INVALID_CLIENT for what is no key set, holds a private key, or has no such key
 */
export function parseKeySet(value: unknown): KeySet {
  const { keys } = (value ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw invalid('is not a JSON Web Key Set: it needs a list of keys');
  if (keys.length > MOST_KEYS) throw invalid(`has more than ${MOST_KEYS} keys`);
  if (keys.some(isPrivate)) throw invalid('holds a private or symmetric key, which its owner must keep');
  const usable = keys.map(toUsable).filter((key) => key !== undefined);
  if (usable.length > 0) return { keys: usable };
  throw invalid('has no key that can be used: RSA of at least 2048 bits, or EC on P-384, with a kid');
}

function isPrivate(key: unknown): boolean {
  return typeof key === 'object' && key !== null && PRIVATE.some((member) => Object.hasOwn(key, member));
}

function toUsable(value: unknown): PublicKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kid, kty, alg, use, key_ops: operations } = value as Readonly<Record<string, unknown>>;
  if (typeof kid !== 'string' || kid === '' || (kty !== 'RSA' && kty !== 'EC')) return undefined;
  const fitting = kty === 'RSA' ? 'RS384' : 'ES384';
  if (alg !== undefined && alg !== fitting) return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined;
  const members = MEMBERS[kty].map((name) => [name, (value as Record<string, unknown>)[name]] as const);
  if (members.some(([, member]) => typeof member !== 'string')) return undefined;
  const key = { kid, kty, alg: fitting, ...Object.fromEntries(members) } as PublicKey;
  return isStrong(key) ? key : undefined;
}

function isStrong(key: PublicKey): boolean {
  try {
    const { asymmetricKeyDetails: details } = createPublicKey({ key: { ...key }, format: 'jwk' });
    if (key.kty === 'EC') return details?.namedCurve === 'secp384r1';
    const { modulusLength: bits = 0 } = details ?? {};
    return bits >= LEAST_RSA_BITS && bits <= MOST_RSA_BITS;
  } catch {
    return false;
  }
}

function invalid(what: string): FhirError {
  return new FhirError('INVALID_CLIENT', `The key set ${what}.`);
}
