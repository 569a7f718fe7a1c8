import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { TenantGrants } from '../../model/principal.js';
import { ALL_PARTITIONS_NAME } from '../../model/partition.js';
import type { StoredClient } from '../../storage/client-store.js';
import type { SigningKeys } from './signing-keys.js';

/** How long a token is good for, in seconds: https://hl7.org/fhir/smart-app-launch/backend-services.html recommends at most 300. */
export const TOKEN_LIFETIME_SECONDS = 300;

/** Claim of this server's own tokens: the id of the partition that the client is registered in. */
export const PARTITION_CLAIM = 'bulkhead_partition';
/** Claim of this server's own tokens: when the client was registered, since an id may be given anew. */
export const REGISTERED_CLAIM = 'bulkhead_registered';

/** What a token says. */
export interface TokenContents {
  readonly client: StoredClient;
  readonly scopes: readonly string[];
  readonly tenants: TenantGrants;
  /** The server's base, which issues tokens and takes them. */
  readonly serverBase: string;
  /** The claim that names tenants. */
  readonly tenantClaim: string;
}

/** An access token, a JWT of https://www.rfc-editor.org/rfc/rfc9068. */
export async function makeAccessToken(
  keys: SigningKeys,
  contents: TokenContents,
  now: number,
): Promise<string> {
  const { client, scopes, tenants, serverBase, tenantClaim } = contents;
  const { kid, privateKey } = await keys.signingKey();
  const seconds = Math.floor(now / 1000);
  const claims = {
    client_id: client.id,
    scope: scopes.join(' '),
    [tenantClaim]: toClaim(tenants),
    [PARTITION_CLAIM]: client.partition,
    [REGISTERED_CLAIM]: client.created,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES384', kid, typ: 'at+jwt' })
    .setIssuer(serverBase)
    .setSubject(client.id)
    .setAudience(serverBase)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + TOKEN_LIFETIME_SECONDS)
    .setJti(randomUUID())
    .sign(privateKey);
}

function toClaim(tenants: TenantGrants): string | readonly string[] {
  switch (tenants.kind) {
    case 'all':
      return ALL_PARTITIONS_NAME;
    case 'names':
      return tenants.names;
    case 'none':
      return [];
  }
}
