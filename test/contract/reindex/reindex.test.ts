import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { assertError } from '../support/fhir-client.js';
import {
  createParameter,
  matchesOf,
  parameterOf,
  patientWith,
  warningsOf,
} from '../search-parameters/fixtures.js';
import { createReindexServer, reindexed } from './fixtures.js';

const { server, client, settle } = await createReindexServer({ partitions: ['acme', 'beta'] });
const acme = client.tenant('acme');
const beta = client.tenant('beta');
test.after.always(() => server.stop());

test.serial('what was written before a parameter is found after a reindex, without a warning', async (t) => {
  const before = await acme.post<Patient>('Patient', patientWith('hat', 'red'));
  await beta.post('Patient', patientWith('hat', 'red'));
  await createParameter(client, parameterOf('hat'));
  settle();
  t.like(await reindexed(client), { state: 'done', added: 2, failed: 0 });
  const found = await acme.get<Bundle>('Patient?hat=red');
  t.deepEqual(matchesOf(found), [before.body.id]);
  t.deepEqual(warningsOf(found), []);
  t.deepEqual((await acme.get<Patient>(`Patient/${before.body.id}`)).body, before.body);
});

test.serial('rows of every kind come, and nothing is added where nothing is missing', async (t) => {
  await acme.put('Patient/p', { resourceType: 'Patient', id: 'p' });
  const values = {
    valueString: 'Text',
    valueCode: 'code',
    valueDate: '2020-01-02',
    valueInteger: 7,
    valueQuantity: { value: 3, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
    valueUri: 'http://example.org/x',
    valueReference: { reference: 'Patient/p' },
  };
  const { body } = await acme.post<Patient>('Basic', {
    resourceType: 'Basic',
    code: { text: 'x' },
    extension: Object.entries(values).map(([name, value]) => {
      const type = name.slice('value'.length);
      const url = /Quantity|Reference/.test(type) ? type : type.toLowerCase();
      return { url: `http://example.org/${url}`, [name]: value };
    }),
  });
  const types = {
    string: 'string',
    code: 'token',
    date: 'date',
    integer: 'number',
    Quantity: 'quantity',
    uri: 'uri',
    Reference: 'reference',
  } as const;
  for (const [of, type] of Object.entries(types)) {
    const expression = `Basic.extension('http://example.org/${of}').value.ofType(${of})`;
    await createParameter(client, parameterOf(`x-${type}`, { base: ['Basic'], type, expression }));
  }
  settle();
  t.like(await reindexed(client, 'Basic/$reindex'), { state: 'done', type: 'Basic' });
  for (const search of [
    'x-string=text',
    'x-token=code',
    'x-date=2020-01-02',
    'x-number=7',
    'x-quantity=3000|http://unitsofmeasure.org|g',
    'x-uri=http://example.org/x',
    'x-reference=Patient/p',
    'x-reference:Patient._id=p',
  ]) {
    const found = await acme.get<Bundle>(`Basic?${search}`);
    t.deepEqual(matchesOf(found), [body.id], search);
    t.deepEqual(warningsOf(found), [], search);
  }
  assertError(t, await acme.send('DELETE', 'Patient/p'), 409, 'DELETE_CONFLICT');
  t.like(await reindexed(client), { state: 'done', added: 0 });
});

test.serial(
  'a version that came before the reindex keeps the rows that it shares with the one before',
  async (t) => {
    const { body } = await acme.post<Patient>('Patient', patientWith('sock', 'left'));
    await createParameter(client, parameterOf('sock'));
    await acme.put(`Patient/${body.id}`, { ...body, active: true });
    t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?sock=left')), []);
    settle();
    await reindexed(client);
    t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?sock=left')), [body.id]);
    await acme.put(`Patient/${body.id}`, { resourceType: 'Patient', id: body.id });
    t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?sock=left')), []);
  },
);

test.serial('a tenant reindexes what is its own, and the warning stays for all', async (t) => {
  const ours = await acme.post<Patient>('Patient', patientWith('glove', 'red'));
  await beta.post('Patient', patientWith('glove', 'red'));
  await createParameter(client, parameterOf('glove'));
  settle();
  t.like(await reindexed(acme, 'Patient/$reindex'), { state: 'done', added: 1 });
  const found = await acme.get<Bundle>('Patient?glove=red');
  t.deepEqual(matchesOf(found), [ours.body.id]);
  t.regex(warningsOf(found).join(), /does not find all data yet/);
  t.deepEqual(matchesOf(await beta.get<Bundle>('Patient?glove=red')), []);
  const parameter = { name: 'parameter', valueString: parameterOf('glove').url };
  t.like(await reindexed(client, '$reindex', [parameter]), { state: 'done', type: 'Patient', added: 1 });
  t.deepEqual(warningsOf(await acme.get<Bundle>('Patient?glove=red')), []);
});

test.serial('what is not understood is refused', async (t) => {
  const start = (path: string, ...parameter: readonly object[]): ReturnType<typeof client.post> =>
    client.post(path, { resourceType: 'Parameters', parameter });
  for (const [path, parameter] of [
    ['$reindex', { name: 'type', valueString: 'Nothing' }],
    ['$reindex', { name: 'url', valueString: 'Patient?name=x' }],
    ['$reindex', { name: 'parameter', valueString: 'http://example.org/none' }],
    ['$reindex', { name: 'everything', valueBoolean: true }],
    ['Patient/$reindex', { name: 'url', valueString: 'Observation?' }],
  ] as const) {
    assertError(t, await start(path, parameter), 400, 'INVALID_REQUEST');
  }
  assertError(t, await client.get('$reindex'), 405, 'METHOD_NOT_ALLOWED');
  assertError(t, await client.get('$reindex-status'), 400, 'INVALID_REQUEST');
  assertError(t, await client.get('$reindex-status?job=none'), 404, 'NOT_FOUND');
});
