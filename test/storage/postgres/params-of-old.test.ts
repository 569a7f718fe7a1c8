import test from 'ava';
import { allIds } from '../../contract/placement/fixtures.js';
import { createReindexServer, reindexed } from '../../contract/reindex/fixtures.js';
import { WITHOUT_PARAM_SETS } from '../../support/earlier-schema.js';
import { findSets } from '../../support/param-sets.js';
import { createEmptyDatabase } from '../../support/test-database.js';
import { connectTo } from './fixtures.js';

for (const nativePartitions of [0, 12]) {
  test(`what was written before there were sets of paths is found as before, with ${nativePartitions} native partitions`, async (t) => {
    const database = await createEmptyDatabase();
    t.teardown(() => database.drop());
    const options = { database, settings: { placement: 'shared', nativePartitions } } as const;
    const earlier = await createReindexServer({ ...options, partitions: ['acme'] });
    const named = { resourceType: 'Patient', id: 'old', name: [{ family: 'Old' }] };
    t.is((await earlier.client.tenant('acme').put('Patient/old', named)).status, 201);
    await earlier.server.stop();
    const owner = await connectTo(t, database.url);
    await owner.query(WITHOUT_PARAM_SETS);
    await owner.query(`delete from hfj_migration where name >= '0013'`);

    const { server, client, settle } = await createReindexServer(options);
    t.teardown(() => server.stop());
    const acme = client.tenant('acme');
    const sets = () => findSets((sql) => database.rows(sql));
    t.deepEqual(await sets(), { wrong: [], unknown: 1, known: 0 });
    await acme.put('Patient/new', { resourceType: 'Patient', id: 'new', gender: 'male' });
    for (const reindex of [false, true]) {
      if (reindex) {
        settle();
        t.like(await reindexed(acme), { state: 'done', failed: 0, added: 0 });
      }
      t.deepEqual(await sets(), { wrong: [], unknown: reindex ? 0 : 1, known: reindex ? 2 : 1 });
      t.deepEqual(await allIds(acme, 'Patient?gender:missing=true'), ['old']);
      t.deepEqual(await allIds(acme, 'Patient?name:missing=true'), ['new']);
      t.deepEqual(await allIds(acme, 'Patient?birthdate:missing=true'), ['new', 'old']);
    }
  });
}
