import test from 'ava';
import type { Bundle, OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestDatabase } from '../../support/test-database.js';
import { assertError, type FhirClient } from '../support/fhir-client.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { createParameter, matchesOf, parameterOf, warningsOf } from './fixtures.js';

const relationship = parameterOf('contact-relationship', {
  type: 'token',
  expression: 'Patient.contact.relationship',
});
const gender = parameterOf('contact-gender', { type: 'token', expression: 'Patient.contact.gender' });
const composite = parameterOf('contact', {
  type: 'composite',
  expression: 'Patient.contact',
  component: [
    { definition: relationship.url, expression: 'relationship' },
    { definition: gender.url, expression: 'gender' },
  ],
});

function patient(id: string, ...contacts: readonly (readonly [code: string, gender: Patient['gender']])[]) {
  const contact = contacts.map(([code, of]) => ({
    relationship: [{ coding: [{ system: 'urn:relations', code }] }],
    gender: of,
  }));
  return { resourceType: 'Patient', id, contact };
}

async function search(client: FhirClient, value: string) {
  const found = await client.get<Bundle>(`Patient?contact=${value}`);
  return { ids: matchesOf(found), warnings: warningsOf(found) };
}

test('a composite that was added finds what is written from then on, and all after a reindex', async (t) => {
  const { server, client, settle } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  await client.put('Patient/before', patient('before', ['M', 'female'], ['F', 'male']));
  for (const parameter of [relationship, gender, composite]) await createParameter(client, parameter);
  await client.put('Patient/after', patient('after', ['F', 'female'], ['M', 'male']));
  const pending = await search(client, 'F$female');
  t.deepEqual(pending.ids, ['after']);
  t.regex(pending.warnings.join(), /"contact" of Patient does not find all data yet/);
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  t.deepEqual(await search(client, 'urn:relations|M$female'), { ids: ['before'], warnings: [] });
  t.deepEqual(await search(client, 'F$female'), { ids: ['after'], warnings: [] });
  t.deepEqual(await search(client, 'S$female'), { ids: [], warnings: [] });
});

test('parameters of one transaction may be parts of a composite in it', async (t) => {
  const { server, client, settle } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  await client.put('Patient/before', patient('before', ['M', 'female']));
  const entry = [relationship, gender, composite].map((resource) => ({
    resource,
    request: { method: 'POST', url: 'SearchParameter' },
  }));
  const { status, text } = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  t.is(status, 200, text);
  t.is((await search(client, 'M$female')).warnings.length, 1);
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  t.deepEqual(await search(client, 'M$female'), { ids: ['before'], warnings: [] });
});

const later = parameterOf('later', {
  type: 'composite',
  expression: 'Patient.contact.skip(1)',
  component: [
    { definition: relationship.url, expression: "relationship.where(coding.code.matches('^[A-Z]$'))" },
    { definition: gender.url, expression: 'gender' },
  ],
});

async function searchLater(client: FhirClient, value: string) {
  const found = await client.get<Bundle>(`Patient?later=${value}`);
  return { ids: matchesOf(found), warnings: warningsOf(found) };
}

test('a composite that the compiler does not know keeps to one element, and old data comes by a reindex', async (t) => {
  const { server, client, settle } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  await client.put('Patient/before', patient('before', ['A', 'male'], ['M', 'female'], ['F', 'male']));
  for (const parameter of [relationship, gender, composite, later]) await createParameter(client, parameter);
  await client.put('Patient/after', patient('after', ['M', 'female'], ['M', 'male'], ['F', 'female']));
  t.deepEqual((await searchLater(client, 'F$female')).ids, ['after']);
  t.deepEqual(
    (await searchLater(client, 'M$female')).ids,
    [],
    'not in the first contact, nor over two of them',
  );
  t.regex(
    (await searchLater(client, 'M$female')).warnings.join(),
    /"later" of Patient does not find all data/,
  );
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  t.deepEqual(await searchLater(client, 'M$female'), { ids: ['before'], warnings: [] });
  t.deepEqual(await searchLater(client, 'urn:relations|F$male'), { ids: ['before'], warnings: [] });
  t.deepEqual(await search(client, 'M$female'), { ids: ['before', 'after'], warnings: [] });
});

test('its rows stay right while it is retired, and after a restart', async (t) => {
  const database = await createTestDatabase('search-parameters');
  t.teardown(() => database.drop());
  const first = await createReindexServer({ database });
  for (const parameter of [relationship, gender]) await createParameter(first.client, parameter);
  const stored = await createParameter(first.client, later);
  first.settle();
  await reindexed(first.client);
  await first.client.put(`SearchParameter/${stored.id}`, { ...stored, status: 'retired' });
  await first.server.stop();
  const { server, client } = await createReindexServer({ database });
  t.teardown(() => server.stop());
  await client.put('Patient/a', patient('a', ['A', 'male'], ['M', 'female']));
  t.is((await client.get('Patient?later=M$female')).status, 400);
  await client.put(`SearchParameter/${stored.id}`, stored);
  t.deepEqual(await searchLater(client, 'M$female'), { ids: ['a'], warnings: [] });
});

test('parts may stand outside of the element, and elements may be primitive', async (t) => {
  const { server, client } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  for (const parameter of [relationship, gender]) await createParameter(client, parameter);
  const given = 'http://hl7.org/fhir/SearchParameter/individual-given';
  await createParameter(
    client,
    parameterOf('with-resource', {
      type: 'composite',
      expression: 'Patient.contact.take(1)',
      component: [
        { definition: relationship.url, expression: 'relationship' },
        { definition: gender.url, expression: '%resource.gender' },
      ],
    }),
  );
  await createParameter(
    client,
    parameterOf('second-name', {
      type: 'composite',
      expression: 'Patient.name.given.skip(1)',
      component: [
        { definition: given, expression: '$this' },
        { definition: gender.url, expression: '%context.gender' },
      ],
    }),
  );
  await client.put('Patient/a', {
    ...patient('a', ['M', 'female'], ['F', 'female']),
    gender: 'male',
    name: [{ given: ['Ann', 'Marie'] }],
  });
  for (const [asked, found] of [
    ['with-resource=M$male', ['a']],
    ['with-resource=M$female', []],
    ['with-resource=F$male', []],
    ['second-name=mar$male', ['a']],
    ['second-name=ann$male', []],
  ] as const)
    t.deepEqual(matchesOf(await client.get<Bundle>(`Patient?${asked}`)), found, asked);
});

test('what is evaluated for too long on a resource refuses the resource', async (t) => {
  const { server, client } = await createReindexServer({
    contents: 'search-parameters',
    settings: { validation: 'off' },
  });
  t.teardown(() => server.stop());
  await createParameter(client, gender);
  const endless = Array.from({ length: 10 }).reduce<string>(
    (inner) => `%resource.contact.select(${inner})`,
    '$this',
  );
  const component = [{ definition: gender.url, expression: `${endless}.gender` }];
  const parameter = parameterOf('slow', { type: 'composite', expression: 'Patient.contact', component });
  await createParameter(client, parameter);
  const many = Array.from({ length: 10 }, (): readonly [string, Patient['gender']] => ['M', 'male']);
  t.is((await client.put('Patient/few', patient('few', ['M', 'male']))).status, 201);
  assertError(t, await client.put('Patient/many', patient('many', ...many)), 400, 'LIMIT_EXCEEDED');
});

test('an expression that cannot be evaluated is refused, wherever in the composite it stands', async (t) => {
  const { server, client } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  await createParameter(client, relationship);
  const refused: readonly (readonly [expression: string, part: string, message: RegExp])[] = [
    ['Patient.contact.frobnicate()', 'relationship', /SearchParameter\.expression: .*frobnicate/],
    ['Patient.contact', 'relationship.frobnicate()', /component\[0\]\.expression: .*frobnicate/],
    ['Patient.contact', 'relationship.where(', /component\[0\]\.expression: .* at character/],
    ['Patient.contact', 'organization.resolve().name', /"resolve" cannot be used/],
  ];
  for (const [expression, part, message] of refused) {
    const component = [{ definition: relationship.url, expression: part }];
    const parameter = parameterOf('bad', { type: 'composite', expression, component });
    const { status, text } = await client.post('SearchParameter', parameter);
    t.is(status, 422, text);
    t.regex((JSON.parse(text) as OperationOutcome).issue[0]?.diagnostics ?? '', message);
  }
});
