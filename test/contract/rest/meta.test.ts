import test from 'ava';
import type { Meta, Parameters, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient, uniqueValue } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta', 'empty'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function withMeta(meta: object): Parameters {
  return { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta as Meta }] };
}

function returned({ parameter }: Parameters): Meta | undefined {
  return parameter?.find(({ name }) => name === 'return')?.valueMeta;
}

async function codes(from: FhirClient, path: string): Promise<readonly (string | undefined)[]> {
  return returned((await from.get<Parameters>(path)).body)?.tag?.map(({ code }) => code) ?? [];
}

const TAG = { system: 'urn:t', code: 'a' };
const BASIC = { resourceType: 'Basic', code: { text: 'x' } };
const OTHER_TAG = { system: 'urn:t', code: 'b' };

test('$meta of a resource gives its meta, of a version that of the version', async (t) => {
  const patient = await client.createPatient({ meta: { tag: [TAG] } });
  await client.put(`Patient/${patient.id}`, { resourceType: 'Patient', id: patient.id });
  const current = await client.get<Parameters>(`Patient/${patient.id}/$meta?_pretty=true&_summary=false`);
  t.is(current.status, 200);
  t.is(returned(current.body)?.versionId, '2');
  const first = await client.get<Parameters>(`Patient/${patient.id}/_history/1/$meta`);
  t.deepEqual(returned(first.body)?.tag, [TAG]);
  t.deepEqual(
    returned(
      (await client.post<Parameters>(`Patient/${patient.id}/$meta`, { resourceType: 'Parameters' })).body,
    )?.versionId,
    '2',
  );
});

test('$meta-add adds labels once, as a new version, and search finds them', async (t) => {
  const code = uniqueValue();
  const { id } = await client.createPatient({ meta: { tag: [TAG] } });
  const answer = await client.post<Parameters>(
    `Patient/${id}/$meta-add`,
    withMeta({ tag: [TAG, { system: 'urn:t', code }], profile: ['http://example.org/p'] }),
  );
  t.is(answer.status, 200);
  t.deepEqual(returned(answer.body)?.tag, [TAG, { system: 'urn:t', code }]);
  t.deepEqual(returned(answer.body)?.profile, ['http://example.org/p']);
  const read = await client.get<Patient>(`Patient/${id}`);
  t.is(read.body.meta?.versionId, '2');
  t.is(await client.count(`Patient?_tag=urn:t|${code}`), 1);
});

test('$meta-delete takes labels away, and passes over those that are not there', async (t) => {
  const code = uniqueValue();
  const { id } = await client.createPatient({
    meta: { tag: [TAG, { system: 'urn:t', code }], security: [OTHER_TAG] },
  });
  const answer = await client.post<Parameters>(
    `Patient/${id}/$meta-delete`,
    withMeta({ tag: [{ system: 'urn:t', code }, OTHER_TAG] }),
  );
  t.is(answer.status, 200);
  t.deepEqual(returned(answer.body)?.tag, [TAG]);
  t.deepEqual(returned(answer.body)?.security, [OTHER_TAG]);
  t.is(await client.count(`Patient?_tag=urn:t|${code}`), 0);
});

test('$meta of a type and of the server give the labels in use in the own tenant', async (t) => {
  const code = uniqueValue();
  const acme = client.tenant('acme');
  await acme.createPatient({ meta: { tag: [{ system: 'urn:own', code }] } });
  t.true((await codes(acme, 'Patient/$meta')).includes(code));
  t.true((await codes(acme, '$meta')).includes(code));
  t.false((await codes(acme, 'Observation/$meta')).includes(code));
  t.false((await codes(client.tenant('beta'), '$meta')).includes(code));
});

test('where no labels are in use $meta answers no empty element', async (t) => {
  const { text } = await client.tenant('empty').get('$meta');
  t.is(text, '{"resourceType":"Parameters"}');
});

test('$meta operations on what does not exist are 404, on what was deleted 410', async (t) => {
  for (const name of ['$meta-add', '$meta-delete']) {
    assertError(t, await client.post(`Patient/never/${name}`, withMeta({ tag: [TAG] })), 404, 'NOT_FOUND');
  }
  const { id } = await client.createPatient();
  await client.delete(`Patient/${id}`);
  assertError(t, await client.get(`Patient/${id}/$meta`), 410, 'GONE');
  assertError(t, await client.post(`Patient/${id}/$meta-add`, withMeta({ tag: [TAG] })), 410, 'GONE');
});

test('$meta-add without a meta, with a broken one, or with other parameters is 400', async (t) => {
  const { id } = await client.createPatient();
  const bad = [
    { resourceType: 'Parameters' },
    { resourceType: 'Parameters', parameter: [{ name: 'meta', valueString: 'x' }] },
    { resourceType: 'Parameters', parameter: [{ name: 'meta' }] },
    { resourceType: 'Parameters', parameter: [{ name: 'other', valueMeta: {} }] },
    { resourceType: 'Parameters', parameter: {} },
    { resourceType: 'Patient' },
    withMeta({ tag: TAG }),
    withMeta({ tag: ['x'] }),
    withMeta({ profile: [7] }),
  ];
  for (const body of bad) {
    const answer = await client.post(`Patient/${id}/$meta-add`, body);
    t.true(
      answer.status === 400 || answer.status === 422,
      `${JSON.stringify(body)} ${answer.status} ${answer.text}`,
    );
  }
  assertError(t, await client.send('POST', `Patient/${id}/$meta-add`), 400, 'INVALID_REQUEST');
  t.is((await client.get<Patient>(`Patient/${id}`)).body.meta?.versionId, '1');
});

test('a $meta-add that would make the resource invalid is refused', async (t) => {
  const { id } = await client.createPatient();
  const answer = await client.post(`Patient/${id}/$meta-add`, withMeta({ tag: [{ system: 7 }] }));
  t.true(answer.status === 400 || answer.status === 422, answer.text);
  t.is((await client.get<Patient>(`Patient/${id}`)).body.meta?.versionId, '1');
});

test('$meta-add through another tenant is 404', async (t) => {
  const { id } = await client.tenant('acme').createPatient();
  assertError(
    t,
    await client.tenant('beta').post(`Patient/${id}/$meta-add`, withMeta({ tag: [TAG] })),
    404,
    'NOT_FOUND',
  );
});

test('a thousand labels are listed at most, and of one code in several systems all or none', async (t) => {
  const many = Array.from({ length: 998 }, (_, n) => ({ system: 'urn:t', code: `c${1_000 + n}` }));
  const last = ['urn:z', 'urn:y', 'urn:x'].map((system) => ({ system, code: 'z' }));
  for (const tag of [many.slice(0, 500), many.slice(500), last.slice(0, 2)])
    t.is((await client.post('Basic', { ...BASIC, meta: { tag } })).status, 201);
  t.is((await codes(client, 'Basic/$meta')).length, 1_000);
  t.is((await client.post('Basic', { ...BASIC, meta: { tag: last.slice(2) } })).status, 201);
  t.deepEqual(
    await codes(client, 'Basic/$meta'),
    many.map(({ code }) => code),
  );
});
