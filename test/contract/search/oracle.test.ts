import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FHIR_JSON, FhirClient } from '../support/fhir-client.js';
import { holds, type Criterion, type Tenant } from './brute-force.js';
import { Random } from './random.js';
import { randomSearch, toQuery } from './random-search.js';
import { matchesOf, pagesOf, type Bundle } from './pages.js';
import { sampleBundle } from './sample-data.js';
import { PARAMETERS } from './sample-parameters.js';

const SEARCHES = 300;

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const tenants = new Map<string, Tenant>();
for (const [seed, name] of ['acme', 'beta'].entries()) {
  await client.tenant(name).post('', sampleBundle(new Random(seed + 1)));
  tenants.set(name, await readAll(client.tenant(name)));
}
test.after.always(() => server.stop());

async function readAll(tenant: FhirClient): Promise<Tenant> {
  const all = new Map<string, FhirResource>();
  for (const type of Object.keys(PARAMETERS)) {
    const resources = matchesOf(await pagesOf(tenant, `${type}?_count=10`));
    for (const resource of resources) all.set(`${type}/${resource.id}`, resource);
  }
  return all;
}

function expectedIds(tenant: Tenant, type: string, criteria: readonly Criterion[]): string[] {
  const ofType = [...tenant.values()].filter((resource) => resource.resourceType === type);
  const found = ofType.filter((resource) => criteria.every((one) => holds(tenant, resource, one)));
  return found.map(({ id = '' }) => id).toSorted();
}

function idsOf(resources: readonly FhirResource[]): string[] {
  return resources.map(({ id = '' }) => id).toSorted();
}

test('reading by pages gives back each resource that was loaded', (t) => {
  for (const tenant of tenants.values()) t.is(tenant.size, 113);
});

for (const [name, tenant] of tenants) {
  test(`${SEARCHES} random searches of ${name} find what brute force finds, each match once`, async (t) => {
    const random = new Random(name.length * 7919);
    let matches = 0;
    for (let n = 0; n < SEARCHES; n++) {
      const { type, criteria } = randomSearch(random, tenant);
      const query = `${type}?${toQuery(criteria)}`;
      const expected = expectedIds(tenant, type, criteria);
      const pages = await pagesOf(client.tenant(name), `${query}&_count=${random.pick([7, 20, 100])}`);
      t.deepEqual(idsOf(matchesOf(pages)), expected, decodeURIComponent(query));
      t.is(pages[0]?.total, expected.length, query);
      matches += expected.length;
    }
    t.true(matches > SEARCHES, 'searches that find nothing prove little');
  });
}

test('POST _search answers as GET does, and _summary=count counts the same', async (t) => {
  const random = new Random(42);
  const acme = client.tenant('acme');
  const form = { 'content-type': 'application/x-www-form-urlencoded', accept: FHIR_JSON };
  for (let n = 0; n < 40; n++) {
    const { type, criteria } = randomSearch(random, tenants.get('acme') ?? new Map());
    const query = toQuery(criteria);
    const got = await acme.get<Bundle>(`${type}?${query}`);
    const posted = await acme.post<Bundle>(`${type}/_search`, query, form);
    t.deepEqual(posted.body.entry, got.body.entry, query);
    t.is(await acme.count(`${type}?${query}`), got.body.total ?? -1, query);
  }
});

test('what one tenant is asked never shows in the other, though all ids are the same', async (t) => {
  const first = matchesOf(await pagesOf(client.tenant('acme'), 'Observation?_id:not=none&_count=9'));
  const second = tenants.get('beta');
  const same = first.filter(
    (resource) => JSON.stringify(second?.get(`Observation/${resource.id}`)) === JSON.stringify(resource),
  );
  t.is(first.length, 70);
  t.true(same.length < 10);
});
