import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { entriesOf, linkOf, namesOf, type Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme', 'beta'], settings: { maxIncludes: 4 } });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

test.before(async () => {
  for (const tenant of ['acme', 'beta']) await store(client.tenant(tenant), tenant);
});

/** Two patients of one organization's child, and six observations of them. */
async function store(target: FhirClient, tenant: string): Promise<void> {
  await target.put('Organization/top', { resourceType: 'Organization', id: 'top', name: `${tenant} top` });
  const partOf = { reference: 'Organization/top' };
  await target.put('Organization/ward', { resourceType: 'Organization', id: 'ward', name: 'ward', partOf });
  for (const id of ['p0', 'p1']) {
    const managingOrganization = { reference: 'Organization/ward' };
    const name = [{ family: `${tenant}-${id}` }];
    await target.put(`Patient/${id}`, { resourceType: 'Patient', id, name, managingOrganization });
  }
  for (const n of [0, 1, 2, 3, 4, 5]) {
    const subject = { reference: `Patient/p${n < 4 ? 0 : 1}` };
    const code = { coding: [{ system: 'urn:c', code: `c${n}` }] };
    await target.put(`Observation/o${n}`, {
      resourceType: 'Observation',
      id: `o${n}`,
      status: 'final',
      code,
      subject,
    });
  }
}

async function search(query: string): Promise<Bundle> {
  const { status, body, text } = await client.tenant('acme').get<Bundle>(query);
  if (status !== 200) throw new Error(text);
  return body;
}

function included(bundle: Bundle): string[] {
  return namesOf(entriesOf([bundle], 'include')).toSorted();
}

const INCLUDES: readonly [query: string, expected: readonly string[]][] = [
  ['Observation?_id=o0,o1,o4&_include=Observation:subject', ['Patient/p0', 'Patient/p1']],
  ['Observation?_id=o0&_include=Observation:patient', ['Patient/p0']],
  ['Observation?_id=o0&_include=Observation:subject:Patient', ['Patient/p0']],
  ['Observation?_id=o0&_include=Observation:subject:Group', []],
  ['Observation?_id=o0&_include=Observation:*', ['Patient/p0']],
  ['Observation?_id=o0&_include=Patient:organization', []],
  [
    'Observation?_id=o0&_include=Observation:subject&_include:iterate=Patient:organization',
    ['Organization/ward', 'Patient/p0'],
  ],
  ['Patient?_id=p1&_revinclude=Observation:subject', ['Observation/o4', 'Observation/o5']],
  [
    'Patient?_id=p1&_revinclude=Observation:subject&_include=Patient:organization',
    ['Observation/o4', 'Observation/o5', 'Organization/ward'],
  ],
  ['Organization?_include=Organization:partof', []],
  ['Organization?_id=ward&_include:iterate=Organization:partof', ['Organization/top']],
  ['Organization?_id=ward&_include:recurse=Organization:partof', ['Organization/top']],
];

for (const [query, expected] of INCLUDES) {
  test(`${query} adds ${expected.length === 0 ? 'nothing' : expected.join(', ')}`, async (t) => {
    t.deepEqual(included(await search(query)), expected);
  });
}

test('included resources are no matches: neither the total nor the page counts them', async (t) => {
  const bundle = await search('Observation?subject=Patient/p0&_count=2&_include=Observation:subject');
  t.is(bundle.total, 4);
  t.is(entriesOf([bundle], 'match').length, 2);
  t.deepEqual(included(bundle), ['Patient/p0']);
});

test('includes go on from page to page', async (t) => {
  const bundle = await search('Observation?_sort=_id&_count=4&_include=Observation:subject');
  t.deepEqual(included(bundle), ['Patient/p0']);
  t.deepEqual(included(await search(linkOf(bundle, 'next') ?? '')), ['Patient/p1']);
});

test('more to include than the limit is said in the bundle', async (t) => {
  const bundle = await search('Patient?_revinclude=Observation:subject');
  t.is(included(bundle).length, 4);
  t.is(entriesOf([bundle], 'outcome').length, 1);
});

test('an include that no such parameter answers is 400', async (t) => {
  const acme = client.tenant('acme');
  assertError(t, await acme.get('Observation?_include=Observation:nothing'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  assertError(t, await acme.get('Observation?_include=subject'), 400, 'INVALID_SEARCH');
});

const CHAINS: readonly [query: string, total: number][] = [
  ['Observation?subject:Patient.family=acme-p0', 4],
  ['Observation?subject.family=acme-p1', 2],
  ['Observation?patient.family=acme-p1,acme-p0', 6],
  ['Observation?patient.family=acme-p1&patient.family=acme-p0', 0],
  ['Observation?patient._id=p1', 2],
  ['Observation?patient.gender:missing=true', 6],
  ['Observation?patient.family=beta-p0', 0],
  ['Patient?organization.name=ward', 2],
  ['Patient?organization.name=top', 0],
  ['Organization?partof.name=acme', 1],
  ['Organization?partof.name=beta', 0],
];

for (const [query, total] of CHAINS) {
  test(`${query} finds ${total}`, async (t) => {
    t.is((await search(query)).total, total);
  });
}

test('a chain through what is no reference, or to what the target does not have, is 400', async (t) => {
  const acme = client.tenant('acme');
  for (const query of ['code.name=x', 'subject:Patient.nothing=x', 'subject:Nothing.name=x'])
    assertError(t, await acme.get(`Observation?${query}`), 400, 'UNKNOWN_SEARCH_PARAMETER');
});
