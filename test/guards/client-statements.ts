import type { PartitionId } from '../../src/model/partition.js';
import { openStorage } from '../../src/storage/open-storage.js';
import { toStorageOptions } from '../../src/storage-options.js';
import type { TestServer } from '../support/test-server.js';

const CLIENT = {
  name: 'guard',
  scopes: 'system/*.rs',
  tenants: null,
  jwks: null,
  jwksUrl: 'urn:x',
  created: 1,
};

/** Everything that is done with the clients of partitions; one is left. */
export async function useClients(server: TestServer, partitions: readonly number[]): Promise<void> {
  const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
  const { clients } = storage;
  try {
    for (const id of ['left', 'removed']) {
      for (const partition of partitions as readonly PartitionId[]) {
        const key = { partition, id };
        await clients.add({ ...CLIENT, ...key });
        await clients.setDisabled(key, 'disabled');
        await clients.setDisabled(key, 'enabled');
        await clients.useAssertion(key, { hash: 'a', expires: 1 }, 0);
        await clients.useAssertion(key, { hash: 'b', expires: 10 }, 5);
        await clients.find(key);
        await clients.list(partition);
        if (id === 'removed') await clients.remove(key);
      }
    }
  } finally {
    await storage.close();
  }
}
