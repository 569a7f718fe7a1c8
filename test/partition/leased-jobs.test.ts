import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { DEFAULT_PARTITION_ID } from '../../src/model/partition.js';
import { LeasedJobs } from '../../src/partition/leased-jobs.js';
import { toStorageOptions } from '../../src/storage-options.js';
import { defaultSettings } from '../../src/settings.js';
import { openStorage } from '../../src/storage/open-storage.js';

const LEASE_MS = 1_000;

test('a job has one worker, who gives it back when its server stops', async (t) => {
  const settings = defaultSettings({ databaseUrl: 'sqlite::memory:' });
  const storage = await openStorage(toStorageOptions(settings, Date.now));
  t.teardown(() => storage.close());
  const job = { id: 'job', kind: 'reindex', partition: DEFAULT_PARTITION_ID, parameters: {}, result: null };
  await storage.partitions.saveJob({ ...job, state: 'running' });
  const begun = Promise.withResolvers<void>();
  const jobs = new LeasedJobs({
    storage,
    kind: 'reindex',
    owner: 'first',
    run: async (_, isStopped) => {
      begun.resolve();
      while (!isStopped()) await pause(5);
    },
    onError: (_, error) => t.fail(String(error)),
  });
  jobs.wake();
  await begun.promise;
  t.false(await storage.leaseJob('job', 'second', LEASE_MS));
  await jobs.stop();
  // A lease that ends now is over in the next millisecond.
  await pause(2);
  t.true(await storage.leaseJob('job', 'second', LEASE_MS));
  t.false(await storage.leaseJob('job', 'first', LEASE_MS));
});
