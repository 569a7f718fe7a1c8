import test from 'ava';
import type { Bundle, BundleEntry, FhirResource, Observation } from 'fhir/r4.js';
import { assertError, codeOf } from '../support/fhir-client.js';
import { as, LAB, observation, openAccessWorld, type TokenClient } from './fixtures.js';

const { server, acme } = await openAccessWorld();
test.after.always(() => server.stop());

const patient = { patient: 'p1' };
const writer = as(acme, 'patient/*.cruds', patient);
const FORBIDDEN = [403, 'FORBIDDEN'] as const;
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

function but(letters: string): TokenClient {
  return as(acme, `system/Observation.${letters}`);
}

function own(category = 'laboratory'): FhirResource {
  return observation('sent', 'p1', category, 3);
}

function foreign(): FhirResource {
  return observation('sent', 'p2', 'laboratory', 3);
}

async function stored(): Promise<Observation> {
  return (await acme.post<Observation>('Observation', own())).body;
}

test('a resource is created within the compartment, and nowhere else', async (t) => {
  t.is((await writer.post('Observation', own())).status, 201);
  assertError(t, await writer.post('Observation', foreign()), ...FORBIDDEN);
  assertError(t, await writer.post('Patient', { resourceType: 'Patient' }), ...FORBIDDEN);
  assertError(t, await writer.post('Practitioner', { resourceType: 'Practitioner' }), ...FORBIDDEN);
});

test('a resource that names nobody is in no compartment', async (t) => {
  const { subject: _subject, ...nobody } = own() as Observation;
  assertError(t, await writer.post('Observation', nobody), ...FORBIDDEN);
});

test('an update keeps a resource within the compartment', async (t) => {
  const resource = await stored();
  t.is((await writer.put(`Observation/${resource.id}`, { ...resource, status: 'amended' })).status, 200);
  const moved = { ...resource, subject: { reference: 'Patient/p2' } };
  assertError(t, await writer.put(`Observation/${resource.id}`, moved), ...FORBIDDEN);
  t.is((await acme.get<Observation>(`Observation/${resource.id}`)).body.subject?.reference, 'Patient/p1');
});

test('what another patient has is not updated, patched or deleted, as if it never was', async (t) => {
  const change = [{ op: 'replace', path: '/status', value: 'amended' }];
  for (const id of ['lab-p2', 'lab-p9']) {
    const path = `Observation/${id}`;
    assertError(t, await writer.put(path, { ...own(), id }), 404, 'NOT_FOUND');
    assertError(t, await writer.send('PATCH', path, { body: change, headers: JSON_PATCH }), 404, 'NOT_FOUND');
    t.is((await writer.delete(path)).status, 204);
  }
  t.is((await acme.get('Observation/lab-p2')).status, 200);
  t.is((await acme.get('Observation/lab-p9')).status, 404);
});

test('a patch leads out of the compartment no more than an update', async (t) => {
  const { id } = await stored();
  const body = [{ op: 'replace', path: '/subject/reference', value: 'Patient/p2' }];
  assertError(
    t,
    await writer.send('PATCH', `Observation/${id}`, { body, headers: JSON_PATCH }),
    ...FORBIDDEN,
  );
});

test('each letter is needed for what it stands for', async (t) => {
  const { id = '' } = await stored();
  const path = `Observation/${id}`;
  assertError(t, await but('ruds').post('Observation', own()), ...FORBIDDEN);
  assertError(t, await but('crds').put(path, { ...own(), id }), ...FORBIDDEN);
  assertError(t, await but('crds').send('PATCH', path, { body: [], headers: JSON_PATCH }), ...FORBIDDEN);
  assertError(t, await but('crus').delete(path), ...FORBIDDEN);
  assertError(t, await but('cd').put(`Observation?_id=${id}`, own()), ...FORBIDDEN);
  t.is((await but('d').delete(path)).status, 204);
});

test('conditions are searches, and need the letter s', async (t) => {
  const writing = as(acme, 'system/Observation.crud');
  assertError(t, await writing.delete('Observation?_id=lab-p1'), ...FORBIDDEN);
  assertError(t, await writing.put('Observation?_id=lab-p1', own()), ...FORBIDDEN);
  const headers = { 'if-none-exist': '_id=lab-p1' };
  assertError(t, await writing.post('Observation', own(), headers), ...FORBIDDEN);
});

test('a condition matches nothing that the token does not open', async (t) => {
  const headers = { 'if-none-exist': '_id=lab-p2' };
  t.is((await writer.post('Observation', own(), headers)).status, 201);
  t.is((await writer.delete('Observation?_id=lab-p2')).status, 204);
  t.is((await acme.get('Observation/lab-p2')).status, 200);
});

test('criteria limit writes by the resource as it was and as it will be', async (t) => {
  const lab = as(acme, `system/Observation.cruds?category=${LAB}`);
  t.is((await lab.post('Observation', own())).status, 201);
  assertError(t, await lab.post('Observation', own('vital-signs')), ...FORBIDDEN);
  const { id = '' } = await stored();
  assertError(t, await lab.put(`Observation/${id}`, { ...own('vital-signs'), id }), ...FORBIDDEN);
  assertError(t, await lab.put('Observation/vital-p1', { ...own(), id: 'vital-p1' }), 404, 'NOT_FOUND');
  const write = as(acme, `system/Observation.rs system/Observation.u?category=${LAB}`);
  assertError(t, await write.put('Observation?_id=vital-p1', { ...own(), id: 'vital-p1' }), ...FORBIDDEN);
});

test('criteria that only the database can judge let nothing be written', async (t) => {
  const some = as(acme, 'system/Observation.cruds?value-quantity=gt1');
  assertError(t, await some.post('Observation', own()), ...FORBIDDEN);
});

test('who may only write reads nothing by it', async (t) => {
  const { id = '' } = await stored();
  const answer = await as(acme, 'system/Observation.cu').send('PATCH', `Observation/${id}`, {
    body: [{ op: 'replace', path: '/status', value: 'amended' }],
    headers: JSON_PATCH,
  });
  t.is(answer.status, 200);
  t.is(answer.text, '');
  t.is((await as(acme, 'system/Observation.c').post('Observation', own())).text, '');
});

test('each entry of a batch is judged by itself', async (t) => {
  const { body } = await writer.post<Bundle>('', bundleOf('batch', own(), foreign()));
  t.deepEqual(
    body.entry?.map(({ response }) => response?.status),
    ['201 Created', '403 Forbidden'],
  );
});

test('one entry that is not permitted refuses a transaction', async (t) => {
  const tagged = { ...own(), meta: { tag: [{ code: 'never' }] } };
  assertError(t, await writer.post('', bundleOf('transaction', tagged, foreign())), ...FORBIDDEN);
  const read = { request: { method: 'GET' as const, url: 'Observation/lab-p2' } };
  const mixed = bundleOf('transaction', tagged);
  const answer = await writer.post('', { ...mixed, entry: [...(mixed.entry ?? []), read] });
  assertError(t, answer, 404, 'NOT_FOUND');
  t.is(await acme.count('Observation?_tag=never'), 0);
});

test('a conditional reference leads to nothing that the token does not open', async (t) => {
  const resource = { ...(own() as Observation), derivedFrom: [{ reference: 'Observation?_id=lab-p2' }] };
  const answer = await writer.post('', bundleOf('transaction', resource));
  assertError(t, answer, 400, 'REFERENCE_NOT_FOUND');
});

test('a deletion that is refused does not name what refers to the resource', async (t) => {
  const remover = as(acme, 'system/Condition.rd');
  const refused = await remover.delete('Condition/con-p2');
  t.is(codeOf(refused), 'DELETE_CONFLICT');
  t.false(refused.text.includes('bin-p2'), refused.text);
});

test('labels are changed by whoever may update', async (t) => {
  const body = {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }],
  };
  t.is((await writer.post('Observation/lab-p1/$meta-add', body)).status, 200);
  assertError(t, await writer.post('Observation/lab-p2/$meta-add', body), 404, 'NOT_FOUND');
  const reader = as(acme, 'patient/*.rs', patient);
  assertError(t, await reader.post('Observation/lab-p1/$meta-add', body), ...FORBIDDEN);
});

function bundleOf(type: 'batch' | 'transaction', ...resources: readonly FhirResource[]): Bundle {
  const entry = resources.map((resource): BundleEntry => ({
    resource,
    request: { method: 'POST', url: resource.resourceType },
  }));
  return { resourceType: 'Bundle', type, entry };
}
