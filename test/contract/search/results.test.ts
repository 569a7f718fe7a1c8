import test from 'ava';
import type { FhirResource, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { entriesOf, linkOf, matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';

const server = await createTestServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
  settings: { maxPageSize: 50 },
});
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

const UCUM = 'http://unitsofmeasure.org';
const DEFINED = 'http://example.org/plan';

/** Sorting by any value gives the order 1, 2, 3; 4 has none. */
const observation = (n: number): object => ({
  resourceType: 'Observation',
  id: `o${n}`,
  status: 'final',
  code: { coding: [{ system: 'urn:c', code: `c${n}` }], text: `${n}` },
  ...(n === 4
    ? {}
    : {
        subject: { reference: `Patient/p${n}` },
        effectiveDateTime: `200${n}-01-01`,
        valueQuantity: { value: n * 10, unit: 'kg', system: UCUM, code: 'kg' },
      }),
});

const other = (n: number): object => ({ resourceType: 'Observation', code: { text: `${n}` } });
const unlessLast = (n: number, own: object): object => (n === 4 ? {} : own);

const RESOURCES: readonly object[] = [
  ...[1, 2, 3].map((n) => ({
    resourceType: 'Patient',
    id: `p${n}`,
    active: true,
    name: [{ family: `f${n}`, given: ['a', 'z'] }],
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
  })),
  ...[3, 1, 4, 2].flatMap((n) => [
    observation(n),
    {
      ...other(n),
      id: `t${n}`,
      status: 'preliminary',
      ...unlessLast(n, { valueCodeableConcept: { coding: [{ code: `v${n}` }] } }),
    },
    { ...other(n), id: `s${n}`, status: 'amended', ...unlessLast(n, { valueString: 'abcd'[n - 1] ?? '' }) },
  ]),
  { resourceType: 'Organization', id: 'a', name: 'a' },
  { resourceType: 'Organization', id: 'b', name: 'b', partOf: { reference: 'Organization/a/_history/1' } },
  { resourceType: 'Organization', id: 'a', name: 'a', partOf: { reference: 'Organization/b' } },
  { resourceType: 'ActivityDefinition', id: 'v1', status: 'active', url: DEFINED, version: '1' },
  { resourceType: 'ActivityDefinition', id: 'v2', status: 'active', url: DEFINED, version: '2' },
  plan('one', `${DEFINED}|1`),
  plan('any', DEFINED),
  plan('none', 'http://example.org/nothing'),
  {
    resourceType: 'QuestionnaireResponse',
    id: 'r',
    status: 'completed',
    questionnaire: 'http://example.org/form|1',
  },
];

function plan(id: string, definitionCanonical: string): object {
  return { resourceType: 'PlanDefinition', id, status: 'active', action: [{ definitionCanonical }] };
}

async function put(target: FhirClient, resource: object): Promise<void> {
  const { resourceType, id } = resource as FhirResource;
  const { status, text } = await target.put(`${resourceType}/${id}`, resource);
  if (status > 201) throw new Error(text);
}

test.before(async () => {
  const form = {
    resourceType: 'Questionnaire',
    id: 'form',
    status: 'active',
    url: 'http://example.org/form',
  };
  await put(client.tenant('DEFAULT'), { ...form, version: '1' });
  for (const target of [acme, client.tenant('beta')]) {
    for (const resource of RESOURCES) await put(target, resource);
  }
});

async function search(query: string): Promise<Bundle> {
  const { status, body, text } = await acme.get<Bundle>(query);
  if (status !== 200) throw new Error(text);
  return body;
}

const SORTS: readonly [key: string, status: string][] = [
  ['date', 'final'],
  ['value-quantity', 'final'],
  ['subject', 'final'],
  ['value-concept', 'preliminary'],
  ['value-string', 'amended'],
];

for (const [key, status] of SORTS) {
  test(`_sort=${key} puts what has no value last in both directions, on any pages`, async (t) => {
    for (const [sort, expected] of [
      [key, '1234'],
      [`-${key}`, '3214'],
    ] as const) {
      const found = matchesOf(await pagesOf(acme, `Observation?status=${status}&_sort=${sort}&_count=1`));
      t.is(found.map(({ id }) => id?.at(-1)).join(''), expected, sort);
    }
  });
}

const person = (id: string, family: string): object => ({ resourceType: 'Person', id, name: [{ family }] });

test('pages hold what is there all the time exactly once while others write and delete', async (t) => {
  const target = client.tenant('beta');
  for (let n = 0; n < 12; n++) await put(target, person(`k${n}`, `keep${n % 3}`));
  for (const sort of ['name', '-name', '_lastUpdated', '-_id']) {
    for (let n = 0; n < 6; n++) await put(target, person(`d${n}`, `keep${n}`));
    const seen: string[] = [];
    let next: string | undefined = `Person?_sort=${sort}&_count=2&_total=none`;
    for (let page = 0; next !== undefined; page++) {
      const { body } = await target.get<Bundle>(next);
      seen.push(...matchesOf([body]).map(({ id = '' }) => id));
      next = linkOf(body, 'next');
      await target.delete(`Person/d${page % 6}`);
      await put(target, person(`n${sort}${page}`.replace('_', ''), `keep${page % 4}`));
      if (page > 100) break;
    }
    t.is(new Set(seen).size, seen.length, sort);
    t.deepEqual(
      seen.filter((id) => id.startsWith('k')).toSorted(),
      Array.from({ length: 12 }, (_, n) => `k${n}`).toSorted(),
    );
  }
});

test('parts of resources are tagged as such, in matches and in includes', async (t) => {
  const bundle = await search('Observation?_id=o1&_include=Observation:subject&_elements=subject,active');
  const [match] = entriesOf([bundle], 'match');
  const [included] = entriesOf([bundle], 'include');
  t.deepEqual(Object.keys(match ?? {}), ['resourceType', 'id', 'meta', 'status', 'code', 'subject']);
  t.deepEqual(Object.keys(included ?? {}), ['resourceType', 'id', 'meta', 'active']);
  for (const one of [match, included]) t.is(one?.meta?.tag?.[0]?.code, 'SUBSETTED');
});

test('_elements that no resource of the search has are 400', async (t) => {
  for (const query of [
    'Patient?_elements=nmae',
    'Patient?_elements=name,name.famly',
    'Patient?_elements=Observation.code',
    'Patient?_include=*&_elements=nothingOfAnyType',
    '?_type=Patient,Observation&_elements=serviceProvider',
    'Patient?_elements=name&_summary=text',
  ]) {
    const answer = await acme.get(query);
    assertError(t, answer, 400, 'UNKNOWN_SEARCH_PARAMETER');
    t.deepEqual(answer.body.issue[0]?.location, ['http._elements'], query);
    t.is(answer.body.issue[0]?.expression, undefined);
  }
  for (const query of [
    '?_type=Patient,Observation&_elements=gender,valueQuantity',
    'Patient?_elements=deceased',
  ])
    t.is((await acme.get(query)).status, 200, query);
});

test('with lenient handling they are left out on every page, and a warning says so', async (t) => {
  const whole = Object.keys(matchesOf([await search('Patient?_id=p1')])[0] ?? {});
  for (const [query, expected] of [
    ['_elements=nmae', whole],
    ['_elements=name,nmae', ['resourceType', 'id', 'meta', 'name']],
    ['_elements=name&_summary=text', ['resourceType', 'id', 'meta', 'text']],
  ] as const) {
    const asked = `Patient?_sort=_id&_count=1&${query}`;
    const { body } = await acme.get<Bundle>(asked, { prefer: 'handling=lenient' });
    const [outcome] = entriesOf([body], 'outcome');
    t.deepEqual(outcome?.resourceType === 'OperationOutcome' && outcome.issue[0]?.location, [
      'http._elements',
    ]);
    const next = await acme.get<Bundle>(linkOf(body, 'next') ?? '');
    for (const page of [body, next.body])
      t.deepEqual(Object.keys(matchesOf([page])[0] ?? {}).toSorted(), [...expected].toSorted(), query);
  }
});

async function patient(mode: string): Promise<Patient> {
  return matchesOf([await search(`Patient?_id=p1&_summary=${mode}`)])[0] as Patient;
}

test('_summary says how much of each resource comes', async (t) => {
  t.deepEqual(Object.keys(await patient('text')), ['resourceType', 'id', 'meta', 'text']);
  t.is((await patient('data')).text, undefined);
  t.truthy((await patient('data')).name);
  t.is((await patient('true')).text, undefined);
  const whole = await patient('false');
  t.truthy(whole.text);
  t.is(whole.meta?.tag, undefined);
});

const INCLUDES: readonly [query: string, expected: readonly string[]][] = [
  ['Organization?_id=b&_include=Organization:partof', ['Organization/a']],
  ['Organization?_id=b&_include:iterate=Organization:partof', ['Organization/a']],
  ['PlanDefinition?_id=one&_include=PlanDefinition:definition', ['ActivityDefinition/v1']],
  ['PlanDefinition?_include=PlanDefinition:definition', ['ActivityDefinition/v1', 'ActivityDefinition/v2']],
  ['PlanDefinition?_id=one&_include=*', ['ActivityDefinition/v1']],
  ['PlanDefinition?_id=one&_include=PlanDefinition:definition:Questionnaire', []],
  [
    'ActivityDefinition?_id=v1&_revinclude=PlanDefinition:definition',
    ['PlanDefinition/any', 'PlanDefinition/one'],
  ],
  ['ActivityDefinition?_id=v2&_revinclude=PlanDefinition:*', ['PlanDefinition/any']],
  ['QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire', ['Questionnaire/form']],
];

for (const [query, expected] of INCLUDES) {
  test(`${query} adds ${expected.join(', ') || 'nothing'}`, async (t) => {
    t.deepEqual(namesOf(entriesOf([await search(query)], 'include')).toSorted(), [...expected]);
  });
}

test('an estimated total is as good as an accurate one where there are few', async (t) => {
  t.is((await search('Observation?status=final&_count=1&_total=estimate')).total, 4);
  t.is((await search('Observation?status=final&_count=1&_total=accurate')).total, 4);
});

test('further pages lead back to the first', async (t) => {
  const [first, second] = await pagesOf(acme, 'Observation?_count=2&code=c1,c2,c3');
  t.is(linkOf(second!, 'first'), linkOf(first!, 'self'));
  t.is(linkOf(first!, 'first'), undefined);
});

test('a count beyond the limit is served as the limit, and the self link says so', async (t) => {
  t.is(
    linkOf(await search('Observation?_count=1000&code=c1'), 'self'),
    `${acme.base}/Observation?_count=50&code=c1`,
  );
});

test('what is given once is not given twice', async (t) => {
  for (const name of ['_count', '_sort', '_total', '_summary']) {
    const value = { _count: '1', _sort: '_id', _total: 'none', _summary: 'true' }[name];
    assertError(t, await acme.get(`Patient?${name}=${value}&${name}=${value}`), 400, 'INVALID_SEARCH');
  }
});
