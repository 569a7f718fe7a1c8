import test from 'ava';
import fc from 'fast-check';
import type { FhirResource, GroupCharacteristic } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { matchesOf, pagesOf, type Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
const beta = client.tenant('beta');
test.after.always(() => server.stop());

const DISEASES = 'http://acme.example/diseases';
const PAINS = 'http://acme.example/pains';
const UCUM = 'http://unitsofmeasure.org';

const DEFINITIONS: readonly FhirResource[] = [
  {
    resourceType: 'CodeSystem',
    id: 'diseases',
    url: DISEASES,
    status: 'active',
    content: 'complete',
    hierarchyMeaning: 'is-a',
    concept: [
      { code: 'disease', concept: [{ code: 'pain', concept: [{ code: 'headache' }] }, { code: 'cold' }] },
    ],
  },
  {
    resourceType: 'ValueSet',
    id: 'pains',
    url: PAINS,
    status: 'active',
    compose: { include: [{ system: DISEASES, concept: [{ code: 'pain' }, { code: 'headache' }] }] },
  },
];

const STORED: readonly FhirResource[] = [
  { resourceType: 'Organization', id: 'clinic', name: 'Clinic of the North', active: true },
  { resourceType: 'Organization', id: 'office', name: 'Office', active: false },
  {
    resourceType: 'Patient',
    id: 'peter',
    name: [{ family: 'Núñez', given: ['Peter', 'Max'] }],
    gender: 'male',
    birthDate: '2014-10-10',
    identifier: [{ system: 'urn:mrn', value: '1' }],
    managingOrganization: { reference: 'Organization/clinic' },
    meta: { profile: ['http://acme.example/p1', 'http://acme.example/p2'] },
  },
  {
    resourceType: 'Patient',
    id: 'petra',
    name: [{ family: 'Smith', given: ['Petra'] }],
    gender: 'female',
    birthDate: '2014-10',
    identifier: [
      { system: 'urn:mrn', value: '2' },
      { system: 'urn:ssn', value: '1' },
    ],
    managingOrganization: { reference: 'Organization/office' },
    meta: { profile: ['http://acme.example/p1'] },
  },
  { resourceType: 'Patient', id: 'sam', name: [{ family: 'Smith-Peters' }], birthDate: '1970-01-01' },
  { resourceType: 'Patient', id: 'nobody' },
  observation('head', 'headache', 'peter', { value: 5.4, unit: 'mg', system: UCUM, code: 'mg' }),
  observation('pain', 'pain', 'petra', { value: 7, unit: 'g', system: UCUM, code: 'g' }),
  observation('cold', 'cold', 'sam', undefined),
  {
    resourceType: 'Observation',
    id: 'text',
    status: 'final',
    code: { text: 'something' },
    hasMember: [{ reference: 'Observation/head' }],
    effectivePeriod: { start: '2020-01-01', end: '2020-12-31' },
  },
  document('first', []),
  document('second', [
    ['replaces', 'first'],
    ['signs', 'third'],
  ]),
  document('third', [
    ['signs', 'first'],
    ['transforms', 'second'],
  ]),
  {
    resourceType: 'Group',
    id: 'group',
    type: 'person',
    actual: false,
    characteristic: [trait('eyes', 'blue'), trait('hair', 'brown')],
  },
  {
    resourceType: 'RiskAssessment',
    id: 'risk',
    status: 'final',
    subject: { reference: 'Patient/peter' },
    prediction: [{ probabilityDecimal: 0.4 }],
  },
];

function document(
  id: string,
  links: readonly (readonly ['replaces' | 'signs' | 'transforms', string])[],
): FhirResource {
  const relatesTo = links.map(([code, target]) => ({
    code,
    target: { reference: `DocumentReference/${target}` },
  }));
  return {
    resourceType: 'DocumentReference',
    id,
    status: 'current',
    content: [{ attachment: { title: id } }],
    ...(links.length === 0 ? {} : { relatesTo }),
  };
}

function trait(code: string, value: string): GroupCharacteristic {
  return {
    code: { coding: [{ system: 'urn:traits', code }] },
    valueCodeableConcept: { coding: [{ system: 'urn:traits', code: value }] },
    exclude: false,
  };
}

function observation(
  id: string,
  code: string,
  patient: string,
  valueQuantity: { value: number; unit: string; system: string; code: string } | undefined,
): FhirResource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: DISEASES, code }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: '2020-06-15',
    ...(valueQuantity ? { valueQuantity } : {}),
  };
}

async function load(tenant: FhirClient, resources: readonly FhirResource[]): Promise<void> {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const { status, text } = await tenant.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  if (status !== 200) throw new Error(text);
}

test.before(async () => {
  await load(client.tenant('DEFAULT'), DEFINITIONS);
  await load(beta, [
    { resourceType: 'Organization', id: 'clinic', name: 'Elsewhere' },
    {
      resourceType: 'Patient',
      id: 'peter',
      name: [{ given: ['Foreign'] }],
      managingOrganization: { reference: 'Organization/clinic' },
    },
  ]);
  await load(acme, STORED);
});

function query(type: string, filter: string, more = ''): string {
  return `${type}?${new URLSearchParams([['_filter', filter]])}${more}`;
}

async function find(tenant: FhirClient, type: string, filter: string, more = ''): Promise<string> {
  const { status, body, text } = await tenant.get<Bundle>(query(type, filter, more));
  if (status !== 200) return `${status} ${text}`;
  return matchesOf([body])
    .map(({ id }) => id)
    .toSorted()
    .join();
}

const FILTERS: readonly [type: string, filter: string, ids: string][] = [
  ['Patient', 'name co "pet"', 'peter,petra,sam'],
  ['Patient', 'given eq "peter" and birthdate ge 2014-10-10', 'peter'],
  ['Patient', 'given eq pete', ''],
  ['Patient', 'given eq PETER', 'peter'],
  ['Patient', 'given ne peter', 'peter,petra'],
  ['Patient', 'family sw nunez', 'peter'],
  ['Patient', 'family ew "EZ"', 'peter'],
  ['Patient', 'family ew peters', 'sam'],
  ['Patient', 'family ew a-much-longer-name-than-any-smith', ''],
  ['Patient', 'family gt nunez', 'petra,sam'],
  ['Patient', 'family ge nunez', 'peter,petra,sam'],
  ['Patient', 'family lt smith', 'peter'],
  ['Patient', 'family le smith', 'peter,petra'],
  ['Patient', 'family pr true', 'peter,petra,sam'],
  ['Patient', 'family pr false', 'nobody'],
  ['Patient', 'birthdate eq 2014-10', 'peter,petra'],
  ['Patient', 'birthdate ne 2014-10-10', 'petra,sam'],
  ['Patient', 'birthdate lt 2000', 'sam'],
  ['Patient', 'birthdate sa 2014-10-01', 'peter'],
  ['Patient', 'birthdate eb 2014', 'sam'],
  ['Patient', 'birthdate po 2014-10-20', 'petra'],
  ['Patient', 'birthdate po 2014', 'peter,petra'],
  ['Patient', 'birthdate co 2014-10-10', 'peter,petra'],
  ['Patient', 'birthdate co 2014-10', 'petra'],
  ['Patient', 'birthdate co 2014', ''],
  ['Patient', '_lastUpdated gt 2000-01-01', 'nobody,peter,petra,sam'],
  ['Patient', '_lastUpdated po 2000', ''],
  ['Patient', '_lastUpdated co 2000', ''],
  ['Patient', '_id eq peter or _id eq sam', 'peter,sam'],
  ['Patient', '_id ne peter', 'nobody,petra,sam'],
  ['Patient', 'identifier eq urn:mrn|1', 'peter'],
  ['Patient', 'identifier eq 1', 'peter,petra'],
  ['Patient', 'identifier ne 1', 'petra'],
  ['Patient', 'identifier ne urn:mrn|1', 'petra'],
  ['Patient', 'identifier ne urn:mrn|', 'petra'],
  ['Patient', 'identifier ne urn:never-written|1', 'peter,petra'],
  ['Patient', 'identifier ne urn:mrn|1 and identifier eq 9', ''],
  ['Patient', 'not (identifier eq 1)', 'nobody,sam'],
  ['Patient', 'gender ne male', 'petra'],
  ['Patient', 'not (gender eq male) and name pr true', 'petra,sam'],
  ['Patient', 'gender eq male or gender eq female and name co smith', 'petra'],
  ['Patient', 'gender eq male or (gender eq female and name co smith)', 'peter,petra'],
  ['Patient', 'not(gender eq male or gender eq female)', 'nobody,sam'],
  ['Patient', 'not(not(gender eq male))', 'peter'],
  ['Patient', '_profile eq http://acme.example/p1', 'peter,petra'],
  ['Patient', '_profile ne http://acme.example/p1', 'peter'],
  ['Patient', 'organization re Organization/clinic', 'peter'],
  ['Patient', `organization re ${acme.base}/Organization/office`, 'petra'],
  ['Patient', 'organization re Organization/nowhere', ''],
  ['Patient', 'organization.name sw clinic', 'peter'],
  ['Patient', 'organization.name pr false', 'nobody,sam'],
  ['Patient', 'organization[active eq true].name pr true', 'peter'],
  ['Patient', 'organization[active eq true].name pr false', 'nobody,petra,sam'],
  ['Patient', 'organization[active eq true].name sw office', ''],
  ['Patient', 'organization[not(active eq true)].name sw office', 'petra'],
  ['Patient', 'organization.active ne true', 'petra'],
  ['Observation', 'subject.name co "pet"', 'cold,head,pain'],
  ['Observation', 'subject:Patient.organization.name co north', 'head'],
  ['Observation', 'subject[gender eq female or birthdate lt 2000].name co pet', 'cold,pain'],
  ['Observation', 'subject[organization[active eq true].name co clinic].gender eq male', 'head'],
  ['Observation', `code eq ${DISEASES}|pain`, 'pain'],
  ['Observation', `code ss ${DISEASES}|pain`, 'head,pain'],
  ['Observation', `code sb ${DISEASES}|pain`, 'pain'],
  ['Observation', `code sb ${DISEASES}|headache`, 'head,pain'],
  ['Observation', `code in ${PAINS}`, 'head,pain'],
  ['Observation', `code in ValueSet/pains`, 'head,pain'],
  ['Observation', `code ni ${PAINS}`, 'cold,text'],
  ['Observation', `not (code in ${PAINS}) and subject pr true`, 'cold'],
  ['Observation', `has-member.code ni ${PAINS}`, 'cold,head,pain'],
  ['Observation', `has-member[status eq final].code in ${PAINS}`, 'text'],
  ['Observation', `value-quantity gt 5|ucum|g or code eq cold`, 'cold,pain'],
  ['Observation', `value-quantity eq 0.0054|ucum|g`, 'head'],
  ['Observation', `value-quantity ap 5.2||mg`, 'head'],
  ['Observation', `value-quantity pr false`, 'cold,text'],
  ['Observation', 'date po 2020-06-15T10:00:00Z', 'cold,head,pain,text'],
  ['Observation', 'date co 2020-06', 'text'],
  ['Observation', `code-value-quantity eq "${DISEASES}|headache$gt5"`, 'head'],
  ['RiskAssessment', 'probability gt 0.3 and subject.given eq max', 'risk'],
  ['RiskAssessment', 'probability ne 0.4', ''],
  ['DocumentReference', 'relatesTo[code eq replaces].target re DocumentReference/first', 'second'],
  ['DocumentReference', 'relatesTo[code eq signs].target re first', 'third'],
  ['DocumentReference', 'relatesTo[code eq signs or code eq replaces].target re first', 'second,third'],
  ['DocumentReference', 'relatesTo[target re DocumentReference/third].code eq replaces', ''],
  ['DocumentReference', 'relatesTo[target re DocumentReference/third].code eq signs', 'second'],
  ['DocumentReference', 'not (relatesTo[code eq signs].target re first)', 'first,second'],
  ['DocumentReference', 'relation eq signs and relatesto re first', 'second,third'],
  ['Group', 'characteristic[code eq eyes].value eq urn:traits|blue', 'group'],
  ['Group', 'characteristic[code eq eyes].value eq brown', ''],
  ['Group', 'characteristic eq eyes and value eq brown', 'group'],
  ['Group', 'characteristic[code ne hair].value eq blue', 'group'],
  ['Group', 'characteristic[code ne eyes].value eq blue', ''],
  ['Group', 'characteristic[code ne urn:never|eyes].value ne urn:traits|blue', 'group'],
];

for (const [type, filter, ids] of FILTERS) {
  test(`${type} with ${filter} is ${ids === '' ? 'nothing' : ids}`, async (t) => {
    t.is(await find(acme, type, filter), ids);
  });
}

test('a filter holds beside other parameters, other filters, and an order', async (t) => {
  t.is(await find(acme, 'Patient', 'name co pet', '&gender=male,female'), 'peter,petra');
  t.is(
    await find(acme, 'Patient', 'name co pet', `&_filter=${encodeURIComponent('gender ne male')}`),
    'petra',
  );
  const { body } = await acme.get<Bundle>(
    query('Patient', 'birthdate pr true', '&_sort=-birthdate&_total=accurate'),
  );
  t.deepEqual(
    matchesOf([body]).map(({ id }) => id),
    ['petra', 'peter', 'sam'],
  );
  t.is(body.total, 3);
});

test('the pages of a filter hold each match once', async (t) => {
  const pages = await pagesOf(acme, query('Patient', 'name co pet or birthdate pr false', '&_count=1'));
  t.deepEqual(
    matchesOf(pages)
      .map(({ id }) => id)
      .toSorted(),
    ['nobody', 'peter', 'petra', 'sam'],
  );
});

test('a filter sees one tenant, behind references and in what it denies', async (t) => {
  t.is(await find(beta, 'Patient', 'organization.name sw clinic'), '');
  t.is(await find(beta, 'Patient', 'organization.name sw elsewhere'), 'peter');
  t.is(await find(beta, 'Patient', 'not (given eq peter)'), 'peter');
  t.is(await find(beta, 'Patient', 'given ne peter or birthdate pr false'), 'peter');
  t.is(await find(acme, 'Patient', 'given eq foreign'), '');
  t.is(
    await find(client.tenant('_ALL'), 'Patient', 'organization.name sw elsewhere or gender eq female'),
    'peter,petra',
  );
});

test('a filter is posted too, and counts for a conditional create', async (t) => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = `_filter=${encodeURIComponent('given eq "peter"')}`;
  const posted = await acme.post<Bundle>('Patient/_search', body, form);
  t.deepEqual(
    matchesOf([posted.body]).map(({ id }) => id),
    ['peter'],
  );
  const created = await acme.post('Patient', { resourceType: 'Patient' }, { 'if-none-exist': body });
  t.is(created.status, 200);
});

test('what a filter can not mean is 400 and says where', async (t) => {
  const malformed = await acme.get(query('Patient', 'name co "pet" and (gender eq male'));
  assertError(t, malformed, 400, 'INVALID_SEARCH');
  t.regex(malformed.text, /_filter, character 34/);
  const unknown = await acme.get(query('Observation', 'code in http://acme.example/none'));
  assertError(t, unknown, 400, 'INVALID_SEARCH');
  t.regex(unknown.text, /_filter, character 1/);
});

/** A filter over patients, and who passes it. */
interface Meant {
  readonly text: string;
  readonly passes: ReadonlySet<string>;
}

const PATIENTS = ['nobody', 'peter', 'petra', 'sam'];
const LEAVES: readonly Meant[] = FILTERS.filter(([type]) => type === 'Patient')
  .filter(([, filter]) => !/ and | or /.test(filter))
  .map(([, text, ids]) => ({ text, passes: new Set(ids === '' ? [] : ids.split(',')) }));

const meant = fc.letrec<{
  readonly tree: Meant;
  readonly leaf: Meant;
  readonly joined: Meant;
  readonly not: Meant;
}>((tie) => ({
  leaf: fc.constantFrom(...LEAVES),
  not: tie('tree').map(({ text, passes }) => ({
    text: `not (${text})`,
    passes: new Set(PATIENTS.filter((id) => !passes.has(id))),
  })),
  joined: fc
    .tuple(
      tie('tree'),
      fc.array(fc.tuple(fc.constantFrom('and', 'or'), tie('tree')), { minLength: 1, maxLength: 3 }),
    )
    .map(([first, rest]) =>
      rest.reduce(
        (left, [word, { text, passes }]) => ({
          text: `${left.text} ${word} (${text})`,
          passes: new Set(
            PATIENTS.filter((id) =>
              word === 'and' ? left.passes.has(id) && passes.has(id) : left.passes.has(id) || passes.has(id),
            ),
          ),
        }),
        { text: `(${first.text})`, passes: first.passes },
      ),
    ),
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('not'), tie('joined')),
}));

test('whatever stands between them, filters find what their parts say, from left to right', async (t) => {
  const property = fc.asyncProperty(meant.joined, async ({ text, passes }) => {
    if ((await find(acme, 'Patient', text)) !== [...passes].toSorted().join()) throw new Error(text);
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 100 }));
});

test('a filter holds for each of several types, and within a compartment', async (t) => {
  const several = `?_type=Patient,Organization&_filter=${encodeURIComponent('name co clinic or not (name pr true)')}`;
  const { body } = await acme.get<Bundle>(several);
  t.deepEqual(
    matchesOf([body])
      .map(({ id }) => id)
      .toSorted(),
    ['clinic', 'nobody'],
  );
  const unknown = await acme.get(
    `?_type=Patient,Organization&_filter=${encodeURIComponent('gender eq male')}`,
  );
  assertError(t, unknown, 400, 'UNKNOWN_SEARCH_PARAMETER');
  t.is(await find(acme, 'Patient/peter/Observation', 'code pr true'), 'head');
  t.is(await find(acme, 'Patient/peter/Observation', `code eq pain`), '');
});

test('filters as large as they may be are answered', async (t) => {
  const many = Array.from({ length: 190 }, (_, n) => `given eq ${n === 189 ? 'max' : n}`).join(' or ');
  t.is(await find(acme, 'Patient', many), 'peter');
  t.is(await find(acme, 'Patient', `not (${many})`), 'nobody,petra,sam');
  const deep = `${'not ('.repeat(28)}given eq max${')'.repeat(28)}`;
  t.is(await find(acme, 'Patient', deep), 'peter');
  const changing = `given eq max${' or family ew z and gender ne female'.repeat(14)}`;
  t.is(await find(acme, 'Patient', changing), 'peter');
  const linked = Array.from({ length: 60 }, (_, n) => `subject.given eq ${n === 59 ? 'max' : n}`).join(
    ' or ',
  );
  t.is(await find(acme, 'Observation', linked.replaceAll('subject', 'subject:Patient')), 'head');
});
