import test from 'ava';
import type { FhirResource, Medication, OperationOutcome, Patient, Questionnaire } from 'fhir/r4.js';
import { defineInterceptor } from '../../../src/index.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { entriesOf, matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';

/** Takes away what a header names: a container, or what is contained. */
const masking = defineInterceptor({
  name: 'masking',
  hooks: {
    STORAGE_PREACCESS_RESOURCES: ({ value, request }) =>
      value.filter(({ id }) => id !== request.headers.get('x-hidden')?.[0]),
    STORAGE_PRESHOW_RESOURCES: ({ value, request }) =>
      value.map((resource) => {
        const masked = request.headers.get('x-masked')?.[0];
        const contained = resource['contained'];
        if (masked === undefined || !Array.isArray(contained)) return resource;
        return { ...resource, contained: contained.filter((one: FhirResource) => one.id !== masked) };
      }),
  },
});

const server = await createTestServer({
  contents: 'search-parameters',
  partitions: ['acme', 'other', 'changing'],
  interceptors: [masking],
});
const root = new FhirClient(server.url);
const acme = root.tenant('acme');
const other = root.tenant('other');
const changing = root.tenant('changing');
test.after.always(() => server.stop());

const medication = (id: string, code: string): Medication => ({
  resourceType: 'Medication',
  id,
  status: 'active',
  code: { coding: [{ code }] },
});
const request = (id: string, ...contained: Medication[]): FhirResource => ({
  resourceType: 'MedicationRequest',
  id,
  status: 'active',
  intent: 'order',
  subject: { reference: 'Patient/p' },
  medicationReference: { reference: `#${contained[0]?.id}` },
  contained,
});
const patient = (family: string): Patient => ({ resourceType: 'Patient', id: 'p', name: [{ family }] });
/** A contained patient whose organization is stored. */
const member: FhirResource = {
  resourceType: 'Observation',
  id: 'o',
  status: 'final',
  code: { text: 'x' },
  subject: { reference: '#p' },
  contained: [
    { ...patient('Inside'), managingOrganization: { reference: 'Organization/1' } } as FhirResource,
  ],
};

const questionnaire: Questionnaire = {
  resourceType: 'Questionnaire',
  id: 'q',
  status: 'draft',
  url: 'urn:q',
};
const containing = {
  extension: [{ url: 'urn:x', valueReference: { reference: '#q' } }],
  contained: [questionnaire],
};

async function store(client: FhirClient, resources: readonly FhirResource[]): Promise<void> {
  for (const resource of resources) {
    const { status, text } = await client.put(`${resource.resourceType}/${resource.id}`, resource);
    if (status !== 201) throw new Error(text);
  }
}

test.before(async () => {
  await store(acme, [
    patient('Own'),
    { resourceType: 'Organization', id: '1', name: 'Acme' },
    medication('alone', 'a'),
    request('r1', medication('m1', 'a'), medication('m2', 'b'), medication('m3', 'a')),
    request('r2', medication('m1', 'a')),
    request('r3', medication('m1', 'b')),
    member,
  ]);
  await store(other, [patient('Foreign'), { resourceType: 'Organization', id: '1', name: 'Other' }]);
  await store(root.tenant('DEFAULT'), [
    { resourceType: 'Library', id: 'library', status: 'draft', type: { text: 'x' }, ...containing },
    { resourceType: 'Basic', id: 'basic', code: { text: 'x' }, ...containing },
  ]);
});

const namesAt = async (client: FhirClient, query: string): Promise<string[]> =>
  namesOf(matchesOf(await pagesOf(client, query)));

test('a container comes once, as a match under its own URL, whatever it contains of it', async (t) => {
  const { body } = await acme.get<Bundle>('Medication?code=a&_contained=true');
  t.deepEqual(
    body.entry?.map(({ fullUrl, search }) => [fullUrl, search?.mode]),
    ['r1', 'r2'].map((id) => [`${acme.base}/MedicationRequest/${id}`, 'match']),
  );
  t.is(body.total, 2);
});

test('contained resources and others are paged one by one, and counted', async (t) => {
  const query = 'Medication?status=active&_contained=both&_containedType=contained';
  const all = ['alone', 'm1', 'm2', 'm3', 'm1', 'm1'].map((id) => `Medication/${id}`);
  for (const count of [1, 2, 4, 6, 10]) {
    const pages = await pagesOf(acme, `${query}&_count=${count}`);
    t.deepEqual(namesOf(matchesOf(pages)), all, `${count}`);
    t.true(pages.every(({ total, entry = [] }) => total === 6 && entry.length <= count));
  }
  for (const none of ['_count=0', '_summary=count']) {
    const { body } = await acme.get<Bundle>(`${query}&${none}`);
    t.is(body.total, 6);
    t.is(body.entry, undefined);
  }
  const { body } = await acme.get<Bundle>(`${query}&_total=none&_count=1`);
  t.is(body.total, undefined);
});

test('_summary and _elements are about what is answered', async (t) => {
  const query = 'Medication?code=b&_contained=true&_elements=status';
  const [container] = matchesOf(await pagesOf(acme, query));
  t.is(container?.resourceType, 'MedicationRequest');
  t.false(JSON.stringify(container).includes('contained'));
  const [contained] = matchesOf(await pagesOf(acme, `${query}&_containedType=contained`));
  t.like(contained, { resourceType: 'Medication', id: 'm2', status: 'active' });
  t.false(JSON.stringify(contained).includes('coding'));
  t.true(JSON.stringify(contained).includes('SUBSETTED'));
});

test('includes start at containers', async (t) => {
  const { body } = await acme.get<Bundle>(
    'Medication?code=b&_contained=true&_include=MedicationRequest:patient',
  );
  t.deepEqual(namesOf(matchesOf([body])), ['MedicationRequest/r1', 'MedicationRequest/r3']);
  t.deepEqual(namesOf(entriesOf([body], 'include')), ['Patient/p']);
});

test('hooks see containers whole, and what they leave is shown', async (t) => {
  const query = 'Medication?code=a&_contained=true&_containedType=contained';
  const shownTo = async (headers: Readonly<Record<string, string>>): Promise<unknown[] | undefined> => {
    const { body } = await acme.get<Bundle>(query, headers);
    return body.entry?.map(({ fullUrl }) => fullUrl?.split('/').at(-1));
  };
  t.deepEqual(await shownTo({ 'x-hidden': 'r1' }), ['r2#m1']);
  t.deepEqual(await shownTo({ 'x-masked': 'm1' }), ['r1#m3']);
  t.deepEqual(await shownTo({}), ['r1#m1', 'r1#m3', 'r2#m1']);
});

test('a tenant sees what its own resources contain, in several partitions each with its own references', async (t) => {
  const all = root.tenant('_ALL');
  t.deepEqual(await namesAt(other, 'Medication?_contained=both'), []);
  t.deepEqual(await namesAt(all, 'Medication?code=b&_contained=true'), [
    'MedicationRequest/r1',
    'MedicationRequest/r3',
  ]);
  for (const client of [acme, all]) {
    t.deepEqual(await namesAt(client, 'Observation?subject:Patient.organization.name=acme'), [
      'Observation/o',
    ]);
    t.deepEqual(await namesAt(client, 'Patient?_contained=true&organization.name=acme'), ['Observation/o']);
    t.deepEqual(await namesAt(client, 'Observation?subject:Patient.organization.name=other'), []);
  }
  const pages = await pagesOf(
    all,
    'Medication?status=active&_id=alone,m1,m2,m3&_contained=both&_containedType=contained&_count=2',
  );
  t.is(matchesOf(pages).length, 6);
});

test('types that are kept in DEFAULT are found there, in what a tenant may see', async (t) => {
  const query = 'Questionnaire?url=urn:q&_contained=true';
  t.deepEqual((await namesAt(root.tenant('DEFAULT'), query)).toSorted(), ['Basic/basic', 'Library/library']);
  for (const as of ['container', 'contained']) {
    const { body } = await acme.get<Bundle>(`${query}&_containedType=${as}`);
    t.is(body.total, 1);
    t.true(body.entry?.[0]?.fullUrl?.startsWith(`${acme.base}/Library/library`));
  }
});

test('a chain follows canonical URLs to what is contained', async (t) => {
  const client = root.tenant('DEFAULT');
  const response = {
    resourceType: 'QuestionnaireResponse',
    id: 'r',
    status: 'completed',
    questionnaire: '#q',
    contained: [{ ...questionnaire, url: 'urn:other', title: 'Inside' }],
  };
  await client.put('QuestionnaireResponse/r', response);
  t.deepEqual(await namesAt(client, 'QuestionnaireResponse?questionnaire.title=inside'), [
    'QuestionnaireResponse/r',
  ]);
  t.deepEqual(await namesAt(client, 'QuestionnaireResponse?questionnaire.title=outside'), []);
});

test('what is contained changes with the container', async (t) => {
  const query = 'Medication?code=changing&_contained=true';
  await store(changing, [patient('Own')]);
  await changing.put('MedicationRequest/changing', request('changing', medication('m', 'changing')));
  t.deepEqual(await namesAt(changing, query), ['MedicationRequest/changing']);
  await changing.put('MedicationRequest/changing', request('changing', medication('m', 'changed')));
  t.deepEqual(await namesAt(changing, query), []);
  t.is((await namesAt(changing, 'MedicationRequest?medication.code=changed')).length, 1);
  await changing.delete('MedicationRequest/changing');
  t.deepEqual(await namesAt(changing, 'Medication?code=changed&_contained=true'), []);
  t.deepEqual(await namesAt(changing, 'MedicationRequest?medication.code=changed'), []);
});

for (const query of [
  'Patient/p/MedicationRequest?_contained=true',
  '?_type=Patient,Medication&_contained=both',
  'Patient?_contained=true&_sort=name',
  'Patient?_contained=true&_has:Observation:patient:status=final',
]) {
  test(`${query} is refused, and says why`, async (t) => {
    const answer = await acme.get<OperationOutcome>(query);
    assertError(t, answer, 400, 'INVALID_SEARCH');
    t.regex(answer.body.issue[0]?.diagnostics ?? '', /"_contained"/);
  });
}

test('nothing is decided by what is contained', async (t) => {
  const answer = await acme.post('Medication', medication('new', 'a'), {
    'if-none-exist': 'code=a&_contained=true',
  });
  assertError(t, answer, 400, 'INVALID_SEARCH');
});
