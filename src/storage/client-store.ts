import type { PartitionId } from '../model/partition.js';

/** A client of the authorization server as it is registered; beside these nothing of it is secret. */
export interface NewClient {
  /** The partition that it is registered in, and looked for in. */
  readonly partition: PartitionId;
  /** Unique within the partition. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Scopes that it may be granted, words with spaces between them. */
  readonly scopes: string;
  /** Tenants that it may be granted: JSON of the client layer's own; null: the partition that it is registered in. */
  readonly tenants: string | null;
  /** Its public keys: a JSON Web Key Set; null where there is a URL. */
  readonly jwks: string | null;
  /** Where its public keys are; null where they are registered. */
  readonly jwksUrl: string | null;
  /** Milliseconds since 1970 UTC. */
  readonly created: number;
}

/** A client as it is stored. */
export interface StoredClient extends NewClient {
  /** It gets no tokens, and those that it has are not believed. */
  readonly disabled: boolean;
}

/** What identifies a client. */
export type ClientKey = Pick<StoredClient, 'partition' | 'id'>;

/** An assertion by which a client has authenticated itself. */
export interface UsedAssertion {
  /** Of its `jti`. */
  readonly hash: string;
  /** When it may be forgotten, in milliseconds since 1970: after nobody believes it any more. */
  readonly expires: number;
}

/** Registered clients and the assertions that they have used, in the main database. */
export interface ClientStore {
  /** False where the partition has a client with the id. @throws FhirError UNKNOWN_PARTITION where it has gone */
  add(client: NewClient): Promise<boolean>;
  find(key: ClientKey): Promise<StoredClient | undefined>;
  /** All clients of a partition, by id. */
  list(partition: PartitionId): Promise<readonly StoredClient[]>;
  /** False where there is no such client. */
  setDisabled(key: ClientKey, state: 'disabled' | 'enabled'): Promise<boolean>;
  /** False where there is no such client. */
  remove(key: ClientKey): Promise<boolean>;
  /**
   * Notes that the assertion was used: on disk before it answers, once for all servers. False where it was used before, or
   * the client may not use any. Forgets what has expired `now`, in milliseconds since 1970.
   */
  useAssertion(key: ClientKey, assertion: UsedAssertion, now: number): Promise<boolean>;
}
