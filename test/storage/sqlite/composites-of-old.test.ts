import test from 'ava';
import type { Bundle, Observation } from 'fhir/r4.js';
import { WITHOUT_FULL_TEXT } from '../../support/earlier-schema.js';
import { createReindexServer, reindexed } from '../../contract/reindex/fixtures.js';
import { matchesOf, warningsOf } from '../../contract/search-parameters/fixtures.js';
import { createOldDatabase } from './old-database.js';

/** The schema before there were composites within elements. */
const DOWNGRADE = `
  drop table HFJ_SPIDX_COMPOSITE;
  ${WITHOUT_FULL_TEXT}
  delete from HFJ_MIGRATION where name >= '0003';`;

const PRESSURE: Observation & { readonly id: string } = {
  resourceType: 'Observation',
  id: 'old',
  status: 'final',
  code: { coding: [{ code: 'BP' }] },
  component: [{ code: { coding: [{ code: 'sys' }] }, valueQuantity: { value: 120 } }],
};

test('what was written before composites is not found by them until a reindex, and searches say so', async (t) => {
  const database = await createOldDatabase(PRESSURE, DOWNGRADE);
  t.teardown(() => database.drop());
  const { server, client, settle } = await createReindexServer({ database });
  t.teardown(() => server.stop());
  const search = (code: string) => client.get<Bundle>(`Observation?${code}`);
  const pending = await search('component-code-value-quantity=sys$120');
  t.deepEqual(matchesOf(pending), []);
  t.regex(warningsOf(pending).join(), /does not find all data yet/);
  t.deepEqual(warningsOf(await search('code-value-quantity=BP$120')), []);
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  const found = await search('component-code-value-quantity=sys$120');
  t.deepEqual(matchesOf(found), ['old']);
  t.deepEqual(warningsOf(found), []);
});

test('a new database has nothing that waits', async (t) => {
  const { server, client } = await createReindexServer();
  t.teardown(() => server.stop());
  const found = await client.get<Bundle>('Observation?component-code-value-quantity=sys$120');
  t.deepEqual(warningsOf(found), []);
});
