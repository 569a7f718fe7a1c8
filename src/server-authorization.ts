import { AuthorizationServer } from './auth/server/authorization-server.js';
import { ClientKeys } from './auth/server/client-keys.js';
import { SigningKeys } from './auth/server/signing-keys.js';
import { ClientRegistry } from './clients/client-registry.js';
import { uuidMaker } from './interactions/new-id.js';
import type { ServerParts } from './interactions/server-parts.js';
import type { Logger } from './log.js';
import { OutgoingCalls } from './outgoing/outgoing-calls.js';
import type { Storage } from './storage/storage.js';

/** Who gets tokens from a server. */
export function makeClients({
  settings,
  directory,
  clock,
  storage,
}: Pick<ServerParts, 'settings' | 'directory' | 'clock'> & { readonly storage: Storage }): ClientRegistry {
  const adminScope = settings.tokenAdminScope;
  return new ClientRegistry({
    store: storage.clients,
    directory,
    clock,
    adminScope,
    newId: uuidMaker(clock),
  });
}

/** The authorization server, with keys that the servers of one database share. */
export function makeAuthorizationServer(
  { settings, directory, clients, clock }: ServerParts,
  storage: Storage,
  logger: Logger,
): AuthorizationServer {
  const calls = new OutgoingCalls({ allow: settings.outgoingAllow });
  const clientKeys = new ClientKeys({
    fetchJson: (url) => fetchJson(calls, url),
    clock,
    onError: (url, err) => logger.warn({ url, err }, 'the keys of a client could not be fetched'),
  });
  return new AuthorizationServer({
    settings,
    directory,
    clients,
    clock,
    store: storage.clients,
    keysOf: (client, kid) => clientKeys.of(client, kid),
    keys: new SigningKeys(storage, clock),
    tenantClaim: settings.tokenTenantClaim,
  });
}

async function fetchJson(calls: OutgoingCalls, url: string): Promise<unknown> {
  const { status, text } = await calls.call({ url });
  if (status !== 200) throw new Error(`The answer is ${status}.`);
  return JSON.parse(text) as unknown;
}
