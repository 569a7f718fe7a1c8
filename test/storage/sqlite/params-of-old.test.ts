import test from 'ava';
import type { Patient } from 'fhir/r4.js';
import { allIds } from '../../contract/placement/fixtures.js';
import { createReindexServer, reindexed } from '../../contract/reindex/fixtures.js';
import { WITHOUT_PARAM_SETS } from '../../support/earlier-schema.js';
import { findSets } from '../../support/param-sets.js';
import { createOldDatabase } from './old-database.js';

/** The database before it was known which paths resources have rows on. */
const DOWNGRADE = `
  ${WITHOUT_PARAM_SETS}
  delete from HFJ_MIGRATION where name >= '0013';`;

const NAMED: Patient & { readonly id: string } = {
  resourceType: 'Patient',
  id: 'old',
  name: [{ family: 'Old' }],
};

test('what was written before there were sets of paths is looked at one by one until it is written or reindexed', async (t) => {
  const database = await createOldDatabase(NAMED, DOWNGRADE);
  t.teardown(() => database.drop());
  const { server, client, settle } = await createReindexServer({ database });
  t.teardown(() => server.stop());
  const sets = () => findSets((sql) => database.rows(sql));
  t.deepEqual(await sets(), { wrong: [], unknown: 1, known: 0 });
  await client.put('Patient/new', { resourceType: 'Patient', id: 'new', gender: 'male' });
  for (const reindex of [false, true]) {
    if (reindex) {
      settle();
      t.like(await reindexed(client), { state: 'done', failed: 0, added: 0 });
    }
    t.deepEqual(await sets(), { wrong: [], unknown: reindex ? 0 : 1, known: reindex ? 2 : 1 });
    t.deepEqual(await allIds(client, 'Patient?gender:missing=true'), ['old']);
    t.deepEqual(await allIds(client, 'Patient?name:missing=true'), ['new']);
    t.deepEqual(await allIds(client, 'Patient?birthdate:missing=true'), ['new', 'old']);
  }
});
