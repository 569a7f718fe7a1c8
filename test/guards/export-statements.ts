import type { PartitionId } from '../../src/model/partition.js';
import { toStorageOptions } from '../../src/storage-options.js';
import { openStorage } from '../../src/storage/open-storage.js';
import type { ExportFile } from '../../src/storage/export-store.js';
import type { Storage } from '../../src/storage/storage.js';
import type { TestServer } from '../support/test-server.js';
import { scopeOf, walkAll } from '../contract/export/storage-fixtures.js';

const FILE: ExportFile = { kind: 'output', type: 'Patient', part: 1, key: 'k', bytes: 1, count: 1 };

/** Everything that exports do in a store, with what two partitions hold. */
export async function exportEverything(server: TestServer, partitions: readonly number[]): Promise<void> {
  const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
  try {
    for (const partition of partitions) {
      await readEverything(storage, partition as PartitionId);
      await workOnJobs(storage, partition as PartitionId);
    }
  } finally {
    await storage.close();
  }
}

function readEverything(storage: Storage, partition: PartitionId): Promise<void> {
  return storage.useExports(partition, async (exports) => {
    const until = await exports.freeze(partition, async ({ at, search, resources }) => {
      const scope = scopeOf(partition);
      await resources.read(scope, 'Patient', 'p1');
      const plan = { type: 'Patient', where: { kind: 'all', of: [] }, sort: [] } as const;
      await search.count(scope, plan);
      for await (const rowIds of search.rowIds(scope, plan)) if (rowIds.length === 0) break;
      return at;
    });
    const { entries } = await walkAll(exports, partition, { type: 'Patient', until });
    await walkAll(exports, partition, { type: 'Patient', until }, 'deletions');
    const rowIds = entries.map(({ rowId }) => rowId);
    await exports.versionsAt(partition, { type: 'Patient', rowIds, until, bytes: 1_000 });
    await exports.lastTexts(partition, entries);
    await exports.countTypes(partition);
  });
}

/** One that ends well, one that fails, one that is cancelled, and one that is left. */
async function workOnJobs({ exports }: Storage, partition: PartitionId): Promise<void> {
  const scope = scopeOf(partition);
  for (const [created, end] of ['complete', 'failed', 'cancelled', 'left'].entries()) {
    const id = `${end}-${partition}-${Date.now()}`;
    await exports.create({ id, partition, owner: null, request: '{}', created }, 100);
    const claim = await exports.claim('guard', 60_000);
    if (claim === undefined) throw new Error('There is nothing to claim.');
    await exports.clearMatches(claim);
    await exports.addMatches(claim, [{ list: 'Patient', rowIds: [1, 2] }]);
    await exports.saveFrozen(claim, 1, 'frozen');
    await exports.matches(claim, 'Patient', 0, 10);
    await exports.countMatches(claim, 'Patient');
    await exports.renew(claim, 60_000);
    await exports.saveProgress(claim, [FILE], 'some');
    if (end === 'complete') await exports.end(claim, { state: end, files: [FILE], progress: 'all' });
    if (end === 'failed') await exports.end(claim, { state: end, error: 'in words' });
    if (end === 'cancelled') await exports.cancel(scope, id);
    if (end === 'left') await exports.release(claim, Date.now() + 600_000, 'kept');
    await exports.find(scope, id);
    await exports.files(scope, id);
  }
  for (const job of await exports.removable(Date.now() + 60_000, 1)) await exports.remove(job);
  await exports.ids(partition);
  await exports.cancelAll(partition);
}
