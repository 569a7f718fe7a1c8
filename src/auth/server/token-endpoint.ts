import type { ClientRegistry } from '../../clients/client-registry.js';
import { narrowScope, splitScope } from '../../clients/scope-words.js';
import { DEFAULT_PARTITION_ID } from '../../model/partition.js';
import type { PartitionDirectory } from '../../partition/directory.js';
import { makeAccessToken, TOKEN_LIFETIME_SECONDS } from './access-tokens.js';
import { authenticateClient, type AuthenticationParts } from './authenticate-client.js';
import { readAssertion } from './client-assertion.js';
import type { SigningKeys } from './signing-keys.js';
import { TokenError } from './token-error.js';
import { readTokenRequest } from './token-request.js';

/** What the token endpoint is made of. */
export interface TokenEndpointParts extends AuthenticationParts {
  readonly clients: ClientRegistry;
  readonly directory: Pick<PartitionDirectory, 'byName'>;
  readonly keys: SigningKeys;
  /** The claim that names tenants. */
  readonly tenantClaim: string;
}

/** Where a token is asked for. */
export interface TokenPlace {
  /** The tenant in the URL, whether there is such a one or not; undefined: clients of DEFAULT. */
  readonly tenant: string | undefined;
  readonly serverBase: string;
  /** As clients call it. */
  readonly tokenUrl: string;
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.1 */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'bearer';
  /** Seconds. */
  readonly expires_in: number;
  readonly scope: string;
}

/**
 * Gives a client a token: https://hl7.org/fhir/smart-app-launch/backend-services.html. A tenant that does not exist is
 * answered like one in which the client is not registered.
 * @throws TokenError that says what the client may know
 */
export async function giveToken(
  parts: TokenEndpointParts,
  { tenant, serverBase, tokenUrl }: TokenPlace,
  form: string,
): Promise<TokenResponse> {
  const now = parts.clock();
  const { scope, assertion, clientId } = readTokenRequest(form);
  const read = readAssertion(assertion, { audience: tokenUrl, now, clientId });
  const asked = splitScope(scope);
  const client = await authenticateClient(parts, partitionOf(parts, tenant), read);
  const scopes = narrowScope(asked ?? [], client.scopes.split(' '));
  if (scopes.length === 0) throw new TokenError('invalid_scope', 'Nothing of this scope may be granted.');
  const tenants = parts.clients.tenantsOf(client);
  const { keys, tenantClaim } = parts;
  return {
    access_token: await makeAccessToken(keys, { client, scopes, tenants, serverBase, tenantClaim }, now),
    token_type: 'bearer',
    expires_in: TOKEN_LIFETIME_SECONDS,
    scope: scopes.join(' '),
  };
}

function partitionOf({ directory }: TokenEndpointParts, tenant: string | undefined) {
  return tenant === undefined ? DEFAULT_PARTITION_ID : directory.byName(tenant)?.id;
}
