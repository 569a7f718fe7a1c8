import type { PartitionId } from '../../model/partition.js';
import type { StoredClient } from '../client-store.js';

/** Columns of a client, in the order of ClientRow. */
export const CLIENT_COLUMNS = [
  'PARTITION_ID',
  'CLIENT_ID',
  'CLIENT_NAME',
  'CLIENT_SCOPES',
  'CLIENT_TENANTS',
  'CLIENT_JWKS',
  'CLIENT_JWKS_URL',
  'CLIENT_CREATED',
  'CLIENT_DISABLED',
] as const;

/** A client as it stands in a row. */
export type ClientRow = readonly [
  partition: PartitionId,
  id: string,
  name: string,
  scopes: string,
  tenants: string | null,
  jwks: string | null,
  jwksUrl: string | null,
  created: number,
  disabled: number,
];

/** Expired assertions that one token request removes at most. */
export const EXPIRED_AT_ONCE = 1_000;

export function toClient(row: ClientRow): StoredClient {
  const [partition, id, name, scopes, tenants, jwks, jwksUrl, created, disabled] = row;
  return { partition, id, name, scopes, tenants, jwks, jwksUrl, created, disabled: disabled !== 0 };
}
