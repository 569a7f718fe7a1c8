import test from 'ava';
import type { Bundle, Observation, Patient } from 'fhir/r4.js';
import { createReindexServer, reindexed } from '../../contract/reindex/fixtures.js';
import { matchesOf, warningsOf } from '../../contract/search-parameters/fixtures.js';
import { WITHOUT_EXPORTS } from '../../support/earlier-schema.js';
import { createOldDatabase } from './old-database.js';

/** The database before contained resources were indexed. */
const DOWNGRADE = `
  ${WITHOUT_EXPORTS}
  delete from HFJ_SPIDX_COMPOSITE;
  delete from HFJ_MIGRATION where name >= '0005';`;

const MALE: Patient = { resourceType: 'Patient', id: 'p', gender: 'male' };

const CONTAINING: Observation & { readonly id: string } = {
  resourceType: 'Observation',
  id: 'old',
  status: 'final',
  code: { coding: [{ code: 'BP' }] },
  subject: { reference: '#p' },
  contained: [MALE],
};

test('what was contained before contained resources were indexed waits for a reindex, and searches say so', async (t) => {
  const database = await createOldDatabase(CONTAINING, DOWNGRADE);
  t.teardown(() => database.drop());
  const { server, client, settle } = await createReindexServer({ database });
  t.teardown(() => server.stop());
  const chain = 'Observation?subject:Patient.gender=male';
  const searches = [chain, 'Patient?_contained=true', 'Patient?gender=male&_contained=both'];
  for (const query of searches) {
    const pending = await client.get<Bundle>(query);
    t.deepEqual(matchesOf(pending), []);
    t.regex(warningsOf(pending).join(), /Contained resources are not all found yet/);
  }
  t.deepEqual(warningsOf(await client.get<Bundle>('Observation?code=BP')), []);
  const conditional = await client.put(chain, { ...CONTAINING, id: undefined });
  t.is(conditional.status, 412);
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  for (const query of searches) {
    const found = await client.get<Bundle>(query);
    t.deepEqual(matchesOf(found), ['old']);
    t.deepEqual(warningsOf(found), []);
  }
});
