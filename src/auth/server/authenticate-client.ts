import { createHash } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import type { ClientRegistry } from '../../clients/client-registry.js';
import type { PublicKey } from '../../clients/key-set.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../model/partition.js';
import type { ClientStore, StoredClient } from '../../storage/client-store.js';
import { type ClientAssertion, LEEWAY_MS } from './client-assertion.js';
import { DECOYS } from './decoy-keys.js';
import { notAuthenticated } from './token-error.js';

/** What authenticating a client needs. */
export interface AuthenticationParts {
  readonly clients: Pick<ClientRegistry, 'find'>;
  readonly store: Pick<ClientStore, 'useAssertion'>;
  /** The keys that a client has registered, wherever they are; one with this id is needed. */
  readonly keysOf: (client: StoredClient, kid: string) => Promise<readonly PublicKey[]>;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** Used ids are kept for longer than any server believes their assertions, however much clocks differ. */
const KEPT_MS = 10 * 60 * 1000;

/**
 * The client that has signed the assertion, where it is registered in the partition, and has not used it before. Whatever
 * is wrong takes the same way as far as it goes: one look-up, one verification at least, one answer.
 * @throws TokenError invalid_client
 */
export async function authenticateClient(
  parts: AuthenticationParts,
  partition: PartitionId | undefined,
  assertion: ClientAssertion,
): Promise<StoredClient> {
  const key = { partition: partition ?? DEFAULT_PARTITION_ID, id: assertion.client };
  const found = await parts.clients.find(key);
  const client = partition === undefined || found?.disabled ? undefined : found;
  const candidates = client && (await candidatesOf(parts, client, assertion));
  const isSigned = await isSignedByAny(assertion, candidates ?? []);
  if (client === undefined || !isSigned || !(await useOnce(parts, client, assertion)))
    throw notAuthenticated();
  return client;
}

/** A `jku` says where the key is: it is only believed if it says what is registered. */
async function candidatesOf(
  { keysOf }: AuthenticationParts,
  client: StoredClient,
  { algorithm, kid, jku }: ClientAssertion,
): Promise<readonly PublicKey[]> {
  if (jku !== undefined && jku !== client.jwksUrl) return [];
  const keys = await keysOf(client, kid);
  return keys.filter((key) => key.kid === kid && key.alg === algorithm);
}

/** Several keys may have the same `kid`. Where there is none, one that signs nothing takes the time. */
async function isSignedByAny(
  { jwt, algorithm }: ClientAssertion,
  candidates: readonly PublicKey[],
): Promise<boolean> {
  if (candidates.length === 0) {
    await isSignedBy(jwt, DECOYS[algorithm]);
    return false;
  }
  for (const key of candidates) if (await isSignedBy(jwt, key)) return true;
  return false;
}

async function isSignedBy(jwt: string, key: PublicKey): Promise<boolean> {
  const imported = await importJWK({ ...key }, key.alg);
  return compactVerify(jwt, imported, { algorithms: [key.alg] }).then(
    () => true,
    () => false,
  );
}

function useOnce(
  { store, clock }: AuthenticationParts,
  client: StoredClient,
  { jti, expires }: ClientAssertion,
): Promise<boolean> {
  const hash = createHash('sha256').update(jti).digest('base64url');
  return store.useAssertion(client, { hash, expires: expires + LEEWAY_MS + KEPT_MS }, clock());
}
