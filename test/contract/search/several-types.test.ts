import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { linkOf, matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';

const server = await createTestServer({ contents: 'search-parameters', partitions: ['acme', 'beta', 'few'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

test.before(async () => {
  await store(acme, 'acme');
  await acme.put('Patient/gone', { resourceType: 'Patient', id: 'gone' });
  await acme.delete('Patient/gone');
  await store(client.tenant('beta'), 'beta');
  for (const id of ['vs', 'vs2']) {
    await client.tenant('DEFAULT').put(`ValueSet/${id}`, { resourceType: 'ValueSet', id, status: 'active' });
  }
});

/** Two patients, what is known of the first, and a practitioner. */
async function store(target: FhirClient, tenant: string): Promise<void> {
  const subject = { reference: 'Patient/p1' };
  const code = { coding: [{ system: 'urn:c', code: 'x' }] };
  const meta = { tag: [{ system: 'urn:tag', code: tenant }] };
  const resources = [
    { resourceType: 'Practitioner', id: 'dr', meta },
    { resourceType: 'Patient', id: 'p1', meta, gender: 'male', birthDate: '1970-01-01' },
    {
      resourceType: 'Patient',
      id: 'p2',
      gender: 'female',
      link: [{ other: { reference: 'Patient/p1' }, type: 'seealso' }],
    },
    { resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'AMB' }, subject },
    {
      resourceType: 'Observation',
      id: 'o1',
      meta,
      status: 'final',
      code,
      subject,
      encounter: { reference: 'Encounter/e1' },
      performer: [{ reference: 'Practitioner/dr' }],
    },
    { resourceType: 'Observation', id: 'o2', status: 'final', code, subject: { reference: 'Patient/p2' } },
    { resourceType: 'Observation', id: 'o3', status: 'final', code, performer: [subject] },
    { resourceType: 'Condition', id: 'c1', subject, code, recordedDate: '2020-01-01' },
    { resourceType: 'Condition', id: 'c2', subject: { reference: 'Patient/p2' }, code },
  ];
  for (const resource of resources) {
    const { status, text } = await target.put(`${resource.resourceType}/${resource.id}`, resource);
    if (status !== 201) throw new Error(text);
  }
}

async function found(query: string, tenant = acme): Promise<string[]> {
  return namesOf(matchesOf(await pagesOf(tenant, query))).toSorted();
}

const ALL = [
  'Condition/c1',
  'Condition/c2',
  'Encounter/e1',
  'Observation/o1',
  'Observation/o2',
  'Observation/o3',
  'Patient/p1',
  'Patient/p2',
  'Practitioner/dr',
];

const SYSTEM: readonly [query: string, expected: readonly string[]][] = [
  ['', ALL],
  ['?_count=2', ALL],
  ['?_type=Patient', ['Patient/p1', 'Patient/p2']],
  ['?_type=Patient,Practitioner', ['Patient/p1', 'Patient/p2', 'Practitioner/dr']],
  ['?_type=Patient&_type=Practitioner,Patient', ['Patient/p1', 'Patient/p2', 'Practitioner/dr']],
  ['?_tag=urn:tag|acme', ['Observation/o1', 'Patient/p1', 'Practitioner/dr']],
  ['?_tag=urn:tag|beta', []],
  ['?_id=p1,o2', ['Observation/o2', 'Patient/p1']],
  ['?_id=p1,o2&_type=Patient,Condition', ['Patient/p1']],
  ['?_lastUpdated=gt2000-01-01&_count=4', ALL],
  ['?_lastUpdated=lt2000-01-01', []],
  ['?_tag:not=urn:tag|acme&_type=Patient,Observation', ['Observation/o2', 'Observation/o3', 'Patient/p2']],
  ['?_type=Observation,Condition&code=urn:c|x&patient=p1', ['Condition/c1', 'Observation/o1']],
  ['?_type=Observation,Condition&patient.gender=female', ['Condition/c2', 'Observation/o2']],
  [
    '?_type=Observation,Condition&subject:Patient.gender=female&_sort=code',
    ['Condition/c2', 'Observation/o2'],
  ],
  ['?_type=Observation,Condition&patient:missing=true', ['Observation/o3']],
  ['?_has:Observation:performer:code=x', ['Patient/p1', 'Practitioner/dr']],
  ['?_type=Patient,Practitioner&_has:Observation:patient:code=x', ['Patient/p1', 'Patient/p2']],
  ['?_type=Patient,Medication', ['Patient/p1', 'Patient/p2']],
  ['?_type=Medication,Device', []],
  ['?_type=ValueSet', ['ValueSet/vs', 'ValueSet/vs2']],
  ['?_sort=-_lastUpdated,_id&_count=2', ALL],
  ['?_type=Observation,Patient&_sort=_id&_count=1', ALL.filter((one) => /^(Obs|Pat)/.test(one))],
  ['?_type=Observation,Encounter&_sort=-patient&_count=1', ALL.filter((one) => /^(Obs|Enc)/.test(one))],
];

for (const [query, expected] of SYSTEM) {
  test(`GET [base]${query} finds ${expected.length} resources`, async (t) => {
    t.deepEqual(await found(query === '' ? '' : `${acme.base}${query}`), [...expected]);
  });
}

const COMPARTMENTS: readonly [query: string, expected: readonly string[]][] = [
  ['Patient/p1/Observation', ['Observation/o1', 'Observation/o3']],
  ['Patient/p1/Observation?subject:missing=true', ['Observation/o3']],
  ['Patient/p1/Observation?_count=1', ['Observation/o1', 'Observation/o3']],
  ['Patient/p1/Condition?code=y', []],
  ['Patient/p1/Patient', ['Patient/p1', 'Patient/p2']],
  [
    'Patient/p1/*',
    ['Condition/c1', 'Encounter/e1', 'Observation/o1', 'Observation/o3', 'Patient/p1', 'Patient/p2'],
  ],
  [
    'Patient/p1/*?_count=1&_sort=-_lastUpdated',
    ['Condition/c1', 'Encounter/e1', 'Observation/o1', 'Observation/o3', 'Patient/p1', 'Patient/p2'],
  ],
  ['Patient/p1/*?_type=Observation,Condition&code=x', ['Condition/c1', 'Observation/o1', 'Observation/o3']],
  ['Patient/p1/*?_tag=urn:tag|acme', ['Observation/o1', 'Patient/p1']],
  ['Encounter/e1/*', ['Encounter/e1', 'Observation/o1']],
  ['Encounter/e1/Observation', ['Observation/o1']],
  ['Practitioner/dr/Observation', ['Observation/o1']],
  ['Practitioner/dr/*', ['Observation/o1', 'Practitioner/dr']],
];

for (const [query, expected] of COMPARTMENTS) {
  test(`GET [base]/${query} finds ${expected.join(', ') || 'nothing'}`, async (t) => {
    t.deepEqual(await found(query), [...expected]);
  });
}

test('a search by form finds the same as one by URL', async (t) => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const [path, body] of [
    ['_search', '_type=Patient,Practitioner'],
    ['Patient/p1/*/_search', '_type=Observation'],
    ['Patient/p1/_search', '_type=Observation'],
    ['Patient/p1/Observation/_search', 'code=x'],
  ] as const) {
    const { status, body: bundle } = await acme.post<Bundle>(path, body, form);
    t.is(status, 200, path);
    t.is(bundle.total, path === '_search' ? 3 : 2, path);
  }
});

test('pages of several types hold every match once, and the total counts all of them', async (t) => {
  for (const query of ['?_count=2', '?_count=2&_sort=_lastUpdated', '?_count=2&_sort=-_id']) {
    const pages = await pagesOf(acme, `${acme.base}${query}`);
    const names = namesOf(matchesOf(pages));
    t.deepEqual(names.toSorted(), ALL, query);
    t.true(pages.every(({ total }) => total === ALL.length));
  }
});

test('pages of what is kept in DEFAULT go on under every tenant', async (t) => {
  for (const search of ['ValueSet?_count=1&status=active', `${acme.base}?_type=ValueSet&_count=1`])
    t.deepEqual(namesOf(matchesOf(await pagesOf(acme, search))), ['ValueSet/vs', 'ValueSet/vs2'], search);
});

test("pages of DEFAULT's own resources are no other tenant's", async (t) => {
  const own = client.tenant('DEFAULT');
  for (const id of ['d1', 'd2'])
    await own.put(`Basic/${id}`, { resourceType: 'Basic', id, code: { text: id } });
  for (const search of [
    'Basic?_count=1',
    `${own.base}?_count=1`,
    `${own.base}?_type=Basic,ValueSet&_count=1`,
  ]) {
    const { body } = await own.get<Bundle>(search);
    const page = new URL(linkOf(body, 'next') ?? '').search;
    assertError(t, await acme.get(`${acme.base}${page}`), 404, 'UNKNOWN_PAGE_LINK');
  }
});

test('_ALL finds the types of every tenant, page by page', async (t) => {
  const all = client.tenant('_ALL');
  for (const sort of ['', '&_sort=_id', '&_sort=-_lastUpdated']) {
    const search = `${all.base}?_type=Encounter,Practitioner,ValueSet&_count=1${sort}`;
    const names = namesOf(matchesOf(await pagesOf(all, search))).toSorted();
    const twice = ['Encounter/e1', 'Practitioner/dr'].flatMap((name) => [name, name]);
    t.deepEqual(names, [...twice, 'ValueSet/vs', 'ValueSet/vs2'], sort);
  }
});

test('the self link is what was asked for', async (t) => {
  for (const query of [
    'Patient/p1/*?_type=Observation&code=x',
    'Patient/p1/Observation?code=urn:c%7Cx',
    '?_type=Patient,Practitioner&_count=1',
  ]) {
    const path = query.startsWith('?') ? `${acme.base}${query}` : `${acme.base}/${query}`;
    const { body } = await acme.get<Bundle>(path);
    t.is(linkOf(body, 'self'), path);
  }
});

test('parameters of a search over types must be known to all of them', async (t) => {
  assertError(t, await acme.get(`${acme.base}?code=x`), 400, 'UNKNOWN_SEARCH_PARAMETER');
  assertError(
    t,
    await acme.get(`${acme.base}?_type=Patient,Observation&code=x`),
    400,
    'UNKNOWN_SEARCH_PARAMETER',
  );
  const lenient = { prefer: 'handling=lenient' };
  const { body } = await acme.get<Bundle>(`${acme.base}?_type=Patient,Observation&code=x&_id=p1`, lenient);
  t.deepEqual(namesOf(matchesOf([body])), ['Patient/p1']);
  t.is(body.entry?.at(-1)?.search?.mode, 'outcome');
});

test('types that are none are refused', async (t) => {
  assertError(t, await acme.get(`${acme.base}?_type=Patient,Nothing`), 400, 'INVALID_SEARCH');
  assertError(t, await acme.get(`${acme.base}?_type=`), 400, 'INVALID_SEARCH');
  assertError(t, await acme.get('Patient?_type=Patient'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  assertError(t, await acme.get(`${acme.base}?_type=Patient,ValueSet`), 400, 'INVALID_SEARCH');
  assertError(t, await acme.get('Patient/p1/*?_type=Practitioner'), 400, 'INVALID_REQUEST');
  assertError(t, await acme.get('Patient/p1/Practitioner'), 400, 'INVALID_REQUEST');
});

test('values of different kinds are not sorted together', async (t) => {
  assertError(
    t,
    await acme.get(`${acme.base}?_type=Patient,Location&_sort=address,type`),
    400,
    'UNKNOWN_SEARCH_PARAMETER',
  );
  const both = await acme.get(`${acme.base}?_type=Location,AllergyIntolerance&_sort=type`);
  t.is(both.status, 200);
  assertError(
    t,
    await acme.get(`${acme.base}?_type=ActivityDefinition,Goal&_sort=status`),
    400,
    'UNKNOWN_SEARCH_PARAMETER',
  );
});

test('a compartment is as unknown as its resource', async (t) => {
  assertError(t, await acme.get('Patient/nobody/Observation'), 404, 'NOT_FOUND');
  assertError(t, await acme.get('Patient/nobody/*'), 404, 'NOT_FOUND');
  assertError(t, await acme.get('Patient/gone/*'), 410, 'GONE');
  await client.tenant('beta').put('Patient/foreign', { resourceType: 'Patient', id: 'foreign' });
  assertError(t, await acme.get('Patient/foreign/*'), 404, 'NOT_FOUND');
});

test('only the five types of compartment have one', async (t) => {
  assertError(t, await acme.get('Organization/x/Patient'), 404, 'NOT_FOUND');
  assertError(t, await acme.post('Patient/p1/Observation', {}), 405, 'METHOD_NOT_ALLOWED');
});

test('included resources of several types come once', async (t) => {
  const { body } = await acme.get<Bundle>(
    `${acme.base}?_type=Observation,Encounter&_id=o1,e1&_include=*&_revinclude=Condition:patient`,
  );
  const included = (body.entry ?? []).filter(({ search }) => search?.mode === 'include');
  t.deepEqual(included.map(({ resource }) => `${resource?.resourceType}/${resource?.id}`).toSorted(), [
    'Patient/p1',
    'Practitioner/dr',
  ]);
});

test('types come together of which only one has ever held the element', async (t) => {
  const few = client.tenant('few');
  const security = [{ system: 'urn:secret', code: 'only' }];
  await few.put('Substance/s', {
    resourceType: 'Substance',
    id: 's',
    meta: { security },
    code: { text: 's' },
  });
  await few.put('Basic/n', { resourceType: 'Basic', id: 'n', code: { text: 'n' } });
  for (const asked of ['urn:secret|only', 'urn:secret|only,urn:secret|other', 'only']) {
    const { status, body, text } = await few.get<Bundle>(`?_type=Substance,Basic&_security=${asked}`);
    t.is(status, 200, text);
    t.deepEqual(namesOf(matchesOf([body])), ['Substance/s']);
  }
});
