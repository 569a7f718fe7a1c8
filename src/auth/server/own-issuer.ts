import { errors, type JWTPayload } from 'jose';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { FhirError } from '../../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../model/partition.js';
import type { Principal } from '../../model/principal.js';
import type { TokenIssuer } from '../issuers.js';
import { PARTITION_CLAIM, REGISTERED_CLAIM } from './access-tokens.js';
import type { SigningKeys } from './signing-keys.js';

/** What believing this server's own tokens needs. */
export interface OwnIssuerParts {
  readonly keys: SigningKeys;
  readonly clients: Pick<ClientRegistry, 'find' | 'tenantsOf'>;
  /** Scope of whoever may manage the server. */
  readonly adminScope: string;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** After this time it is asked again whether the client is still registered, and what it may. */
const BELIEVED_MS = 10_000;

/**
 * This server as an issuer of the tokens that it takes itself: `serverBase` issues them and is their audience. What they
 * grant is what their client has now; a client that was removed or disabled since has nothing.
 */
export function ownIssuer(parts: OwnIssuerParts, serverBase: string): TokenIssuer {
  return {
    issuer: serverBase,
    audience: serverBase,
    algorithms: ['ES384'],
    keys: async ({ kid }) => {
      const found = kid === undefined ? undefined : await parts.keys.find(kid);
      if (found) return found.key;
      throw new errors.JWKSNoMatchingKey();
    },
    toPrincipal: (claims) => toPrincipal(parts, claims),
  };
}

async function toPrincipal(
  { clients, adminScope, clock }: OwnIssuerParts,
  claims: JWTPayload,
): Promise<Principal> {
  const { iss = '', sub = '', exp = 0, jti, scope } = claims;
  const partition = Number(claims[PARTITION_CLAIM]) as PartitionId;
  const client = await clients.find({ partition, id: sub });
  if (client === undefined || client.disabled || client.created !== claims[REGISTERED_CLAIM]) {
    const challenge = 'Bearer error="invalid_token", error_description="The token is not valid here"';
    throw new FhirError('LOGIN_REQUIRED', 'The bearer token is not valid here.', {
      headers: { 'www-authenticate': challenge },
    });
  }
  const scopes = String(scope).split(' ');
  // Ids of clients are their partition's own. Nobody else acts for them.
  const name = `${partition}/${sub}`;
  return {
    issuer: iss,
    subject: name,
    client: name,
    registered: client.created,
    ...(jti === undefined ? {} : { tokenId: jti }),
    scopes,
    tenants: clients.tenantsOf(client),
    admin: partition === DEFAULT_PARTITION_ID && scopes.includes(adminScope),
    expires: Math.min(exp * 1000, clock() + BELIEVED_MS),
  };
}
