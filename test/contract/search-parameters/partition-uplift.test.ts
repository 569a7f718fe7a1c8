import test from 'ava';
import type { Bundle, SearchParameter } from 'fhir/r4.js';
import { assertError } from '../support/fhir-client.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { createParameter, matchesOf, parameterOf } from './fixtures.js';
import { answersOf, explainOf, upliftToken } from './uplift-fixtures.js';
import { CHAINS, LIFTED, liftChains, load } from './uplift-world.js';

const { server, client, settle } = await createReindexServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
  settings: { partitionSearchParameters: true },
});
const [acme, beta] = [client.tenant('acme'), client.tenant('beta')];
test.after.always(() => server.stop());

const SEARCH = `Observation?patient.identifier=${LIFTED}|v1`;

async function isLifted(tenant: string): Promise<boolean> {
  return !/HFJ_RES_LINK/i.test((await explainOf(client, tenant, SEARCH)).sql);
}

test.serial('a tenant with parameters of its own has the same answers without what is lifted', async (t) => {
  await load(acme, 0);
  await load(beta, 0);
  await liftChains(client);
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  const before = await answersOf(acme, CHAINS);
  t.deepEqual([await isLifted('acme'), await isLifted('beta')], [true, true]);
  await createParameter(acme, parameterOf('own'));
  t.deepEqual([await isLifted('acme'), await isLifted('beta')], [false, true]);
  t.deepEqual(await answersOf(acme, CHAINS), before);
});

test.serial('what a chain ends at is what it means in the tenant', async (t) => {
  const search = `Observation?patient.identifier=${LIFTED}|`;
  const found = matchesOf(await beta.get<Bundle>(search));
  t.true(found.length > 0);
  const { body: shared } = await acme.get<SearchParameter>('SearchParameter/Patient-identifier');
  const { status } = await acme.put('SearchParameter/Patient-identifier', {
    ...shared,
    expression: 'Patient.communication.language',
  });
  t.is(status, 201);
  t.deepEqual(matchesOf(await acme.get<Bundle>(search)), []);
  t.deepEqual(matchesOf(await beta.get<Bundle>(search)), found);
});

test.serial('parameters of a tenant cannot be uplifted', async (t) => {
  const own = parameterOf('lifted', { type: 'token', expression: 'Patient.identifier' });
  const extension = [upliftToken('urn:system', 'element')];
  const answer = await acme.post('SearchParameter', { ...own, extension });
  assertError(t, answer, 422, 'INVALID_RESOURCE');
  t.regex(answer.text, /cannot be uplifted/);
});
