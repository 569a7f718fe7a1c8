import test from 'ava';
import type { Bundle, CapabilityStatement, OperationOutcome, SearchParameter } from 'fhir/r4.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { type Answer, assertError, FhirClient } from '../support/fhir-client.js';
import { createServerPair, matchesOf, patchParameter } from './fixtures.js';

const server = await createTestServer({ partitions: ['acme'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

test.serial(
  'the 1,375 official parameters can be read by their published ids, through every tenant',
  async (t) => {
    for (const from of [client, acme]) {
      const { status, body } = await from.get<SearchParameter>('SearchParameter/Patient-name');
      t.is(status, 200);
      t.like(body, { code: 'name', base: ['Patient'], type: 'string', status: 'active', version: '4.0.1' });
      t.is(await from.count('SearchParameter'), 1375);
    }
  },
);

test.serial('they are searched like any resource', async (t) => {
  const found = await acme.get<Bundle>('SearchParameter?code=identifier&base=Observation,Condition');
  t.deepEqual(matchesOf(found).toSorted(), ['clinical-identifier']);
  t.is(await acme.count('SearchParameter?type=composite'), 46);
  t.is(await acme.count('SearchParameter?url=http://hl7.org/fhir/SearchParameter/Patient-name'), 1);
  t.is(await acme.count('SearchParameter?_lastUpdated=gt2020'), 0);
});

test.serial('they are valid resources', async (t) => {
  for (const id of ['Patient-name', 'individual-phone', 'Observation-code-value-quantity', 'Location-near']) {
    const { body } = await client.get<SearchParameter>(`SearchParameter/${id}`);
    const outcome = await client.post<OperationOutcome>('SearchParameter/$validate', body);
    t.deepEqual(
      outcome.body.issue.filter(({ severity }) => severity === 'error'),
      [],
      id,
    );
  }
});

test.serial('they cannot be deleted, and their last base cannot be taken away', async (t) => {
  const refused = await client.delete('SearchParameter/Patient-link');
  assertError(t, refused, 405, 'METHOD_NOT_ALLOWED');
  t.is(refused.headers.get('allow'), 'GET, HEAD, PUT, PATCH');
  const empty = await patchParameter(client, 'Patient-link', [{ op: 'replace', path: '/base', value: [] }]);
  t.is(empty.status, 422);
  t.is(await acme.count('Patient?link=Patient/1'), 0);
});

function setStatus(value: string): Promise<Answer<SearchParameter>> {
  return patchParameter(client, 'Flag-author', [{ op: 'replace', path: '/status', value }]);
}

test.serial('a retired one is in force nowhere at once, and an active one again', async (t) => {
  t.is((await setStatus('retired')).status, 200);
  assertError(t, await acme.get('Flag?author=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const { body } = await acme.get<CapabilityStatement>('metadata');
  const flag = body.rest?.[0]?.resource?.find(({ type }) => type === 'Flag');
  t.false(flag?.searchParam?.some(({ name }) => name === 'author'));
  t.is((await setStatus('active')).status, 200);
  t.is((await acme.get('Flag?author=x')).status, 200);
});

test.serial('several servers that are asked first at the same time make them once', async (t) => {
  const pair = await createServerPair('nothing');
  const { clients } = pair;
  const counts = await Promise.all(clients.map((one) => one.count('SearchParameter')));
  t.deepEqual(counts, [1375, 1375]);
  const versions = await clients[0].get<SearchParameter>('SearchParameter/Patient-name');
  t.is(versions.body.meta?.versionId, '1');
  await pair.stop();
});

test.serial('a parameter that was changed stays changed when a server starts', async (t) => {
  const database = await createTestDatabase();
  const first = await createTestServer({ database });
  const change = [{ op: 'replace', path: '/status', value: 'retired' }];
  t.is((await patchParameter(new FhirClient(first.url), 'Flag-author', change)).status, 200);
  await first.stop();
  const second = await createTestServer({ database });
  const again = new FhirClient(second.url);
  assertError(t, await again.get('Flag?author=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  t.is(await again.count('SearchParameter'), 1375);
  await second.stop();
  await database.drop();
});
