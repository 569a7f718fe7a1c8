import { FhirError } from '../model/errors.js';
import { DEFAULT_PARTITION_ID, type Partition } from '../model/partition.js';
import type { TenantGrants } from '../model/principal.js';
import type { PartitionDirectory } from '../partition/directory.js';
import type { ClientKey, ClientStore, StoredClient } from '../storage/client-store.js';
import { type Registration, type StoredTenants, toClient } from './registration.js';

/** What the registry is made of. */
export interface ClientRegistryParts {
  readonly store: ClientStore;
  readonly directory: PartitionDirectory;
  readonly newId: () => string;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  /** Scope of whoever may manage the server. */
  readonly adminScope: string;
}

/** The clients that the server's own authorization server gives tokens to, each registered in one partition. */
export class ClientRegistry {
  constructor(private readonly parts: ClientRegistryParts) {}

  /**
   * @throws FhirError INVALID_CLIENT for what cannot be registered, CLIENT_EXISTS for an id that is taken in the
   * partition, UNKNOWN_PARTITION
   */
  async register(partition: Partition, registration: Registration): Promise<StoredClient> {
    const { store, directory, newId, clock, adminScope } = this.parts;
    const rules = { newId, now: clock(), adminScope, partition: (name: string) => directory.byName(name) };
    const client = toClient(partition, registration, rules);
    if (await store.add(client)) return { ...client, disabled: false };
    throw new FhirError('CLIENT_EXISTS', `The partition has a client '${client.id}'.`);
  }

  list(partition: Partition): Promise<readonly StoredClient[]> {
    return this.parts.store.list(partition.id);
  }

  /** Takes effect at once: it gets no tokens, and those that it has are not believed. @throws FhirError UNKNOWN_CLIENT */
  async setDisabled(partition: Partition, id: string, state: 'disabled' | 'enabled'): Promise<void> {
    const isKnown = await this.parts.store.setDisabled({ partition: partition.id, id }, state);
    if (!isKnown) throw unknown(id);
  }

  /** @throws FhirError UNKNOWN_CLIENT */
  async remove(partition: Partition, id: string): Promise<void> {
    const isKnown = await this.parts.store.remove({ partition: partition.id, id });
    if (!isKnown) throw unknown(id);
  }

  /** The client as it is now. */
  find(key: ClientKey): Promise<StoredClient | undefined> {
    return this.parts.store.find(key);
  }

  /** The tenants that are granted to a client now: what has gone or was renamed since is not among them. */
  tenantsOf({ partition, tenants }: StoredClient): TenantGrants {
    const { directory } = this.parts;
    const own = directory.byId(partition)?.name;
    if (tenants === null) return toGrants(own === undefined ? [] : [own]);
    const stored = JSON.parse(tenants) as StoredTenants;
    if (partition !== DEFAULT_PARTITION_ID) return { kind: 'none' };
    if (stored === 'all') return { kind: 'all' };
    return toGrants(stored.filter(([id, name]) => directory.byId(id)?.name === name).map(([, name]) => name));
  }
}

function toGrants(names: readonly string[]): TenantGrants {
  return names.length === 0 ? { kind: 'none' } : { kind: 'names', names };
}

function unknown(id: string): FhirError {
  return new FhirError('UNKNOWN_CLIENT', `The partition has no client '${id.slice(0, 128)}'.`);
}
