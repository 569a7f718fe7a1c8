import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import type { FhirClient } from '../support/fhir-client.js';
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
  const { server, client, settle } = await createReindexServer();
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
  const { server, client, settle } = await createReindexServer();
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

test('a composite that needs the engine is not supported, and a search by it says so', async (t) => {
  const { server, client } = await createReindexServer();
  t.teardown(() => server.stop());
  await createParameter(client, relationship);
  const expression = 'Patient.contact.skip(1)';
  const component = [{ definition: relationship.url, expression: 'relationship' }];
  await createParameter(client, parameterOf('later', { type: 'composite', expression, component }));
  const { status, text } = await client.get('Patient?later=M');
  t.is(status, 400);
  t.regex(text, /not supported by this server/);
});
