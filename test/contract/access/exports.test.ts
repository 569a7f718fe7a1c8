import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { assertError, type FhirClient } from '../support/fhir-client.js';
import { as, LAB, openAccessWorld, TokenClient } from './fixtures.js';

const { server, acme } = await openAccessWorld({ settings: { exportMaxPerPartition: 100 } });
test.after.always(() => server.stop());

const ASYNC = { prefer: 'respond-async' };
const FORBIDDEN = [403, 'FORBIDDEN'] as const;

interface Manifest {
  readonly output: readonly { readonly type: string; readonly url: string }[];
}

/** The URL of the status. */
async function kickOff(client: FhirClient, path: string): Promise<string> {
  const answer = await client.get(path, ASYNC);
  if (answer.status !== 202) throw new Error(answer.text);
  return answer.headers.get('content-location') ?? '';
}

async function manifestOf(client: FhirClient, status: string): Promise<Manifest> {
  for (;;) {
    const answer = await client.get<Manifest>(status);
    if (answer.status === 200) return answer.body;
    if (answer.status !== 202 && answer.status !== 429) throw new Error(answer.text);
    await pause(100);
  }
}

async function idsIn(client: FhirClient, path: string): Promise<readonly string[]> {
  const { output } = await manifestOf(client, await kickOff(client, path));
  const ids: string[] = [];
  for (const { url } of output) {
    const { text } = await client.get(url);
    for (const line of text.trim().split('\n')) {
      const { resourceType, id } = JSON.parse(line) as { resourceType: string; id: string };
      ids.push(`${resourceType}/${id}`);
    }
  }
  return ids.toSorted();
}

test('a type outside of the scopes is not exported when it is asked for', async (t) => {
  const some = as(acme, 'system/Observation.rs', { subject: 'outside' });
  assertError(t, await some.get('$export?_type=Observation,Patient', ASYNC), ...FORBIDDEN);
  assertError(
    t,
    await as(acme, 'system/Observation.r').get('$export?_type=Observation', ASYNC),
    ...FORBIDDEN,
  );
  assertError(t, await as(acme, 'openid').get('$export', ASYNC), ...FORBIDDEN);
  assertError(
    t,
    await as(acme, 'patient/Observation.rs', { patient: 'p1' }).get('$export', ASYNC),
    ...FORBIDDEN,
  );
});

test('what a patient may read is no export, also where it belongs to nobody', async (t) => {
  for (const scope of [
    'patient/*.rs',
    'patient/*.cruds',
    'patient/Practitioner.rs patient/Organization.rs',
  ]) {
    const own = as(acme, scope, { patient: 'p1', subject: 'patient' });
    t.is((await own.get('Practitioner/doc')).status, 200);
    for (const path of ['$export', '$export?_type=Practitioner', 'Patient/$export'])
      assertError(t, await own.get(path, ASYNC), ...FORBIDDEN);
  }
  const both = as(acme, 'patient/*.rs system/Organization.rs', { patient: 'p1', subject: 'both' });
  t.deepEqual(await idsIn(both, '$export'), ['Organization/org']);
  const status = await kickOff(as(acme, 'system/Practitioner.rs', { subject: 'patient' }), '$export');
  const own = as(acme, 'patient/*.rs', { patient: 'p1', subject: 'patient' });
  assertError(t, await own.get(status), ...FORBIDDEN);
});

test('a group is exported by tokens that read groups', async (t) => {
  const group = { resourceType: 'Group', id: 'all', type: 'person', actual: true };
  const writer = as(acme, 'system/*.cruds');
  t.is(
    (await writer.put('Group/all', { ...group, member: [{ entity: { reference: 'Patient/p1' } }] })).status,
    201,
  );
  const blind = as(acme, 'system/Patient.rs', { subject: 'blind' });
  for (const id of ['all', 'never'])
    assertError(t, await blind.get(`Group/${id}/$export`, ASYNC), ...FORBIDDEN);
  const other = as(acme, 'system/Patient.rs system/Group.rs?code=x', { subject: 'other-groups' });
  for (const id of ['all', 'never'])
    assertError(t, await other.get(`Group/${id}/$export`, ASYNC), 404, 'NOT_FOUND');
  const reader = as(acme, 'system/Patient.rs system/Group.r', { subject: 'groups' });
  t.deepEqual(await idsIn(reader, 'Group/all/$export'), ['Patient/p1']);
});

test('without types what the scopes open is exported', async (t) => {
  const some = as(acme, 'system/Patient.rs system/Condition.read', { subject: 'some' });
  const expected = ['Condition/con-p1', 'Condition/con-p2', 'Patient/p1', 'Patient/p2'];
  t.deepEqual(await idsIn(some, '$export'), expected);
});

test('criteria of scopes limit what is exported, also beside filters', async (t) => {
  const labs = as(acme, `system/Observation.rs?category=${LAB}`, { subject: 'labs' });
  t.deepEqual(await idsIn(labs, '$export'), ['Observation/lab-p1', 'Observation/lab-p2']);
  const filter = encodeURIComponent('Observation?subject=Patient/p1');
  t.deepEqual(await idsIn(labs, `$export?_typeFilter=${filter}`), ['Observation/lab-p1']);
});

test('a filter leads to nothing that is limited', async (t) => {
  const some = as(acme, 'system/Observation.rs system/Patient.rs?gender=male', { subject: 'filters' });
  const filter = encodeURIComponent('Observation?subject:Patient.name=Theirs');
  assertError(t, await some.get(`$export?_type=Observation&_typeFilter=${filter}`, ASYNC), ...FORBIDDEN);
});

test('provenances are added where the scopes open them', async (t) => {
  const some = as(acme, 'system/Observation.rs', { subject: 'provenance' });
  const path = '$export?includeAssociatedData=LatestProvenanceResources';
  assertError(t, await some.get(path, ASYNC), ...FORBIDDEN);
});

test('status and files are for whoever asked, as long as the scopes cover them', async (t) => {
  const mine = as(acme, 'system/Condition.rs', { subject: 'owner' });
  const status = await kickOff(mine, '$export');
  const { output } = await manifestOf(mine, status);
  const url = output[0]?.url ?? '';
  t.is((await mine.get(url)).status, 200);
  for (const path of [status, url]) {
    const other = as(acme, 'system/*.rs', { subject: 'other' });
    assertError(t, await other.get(path), 404, 'NOT_FOUND');
    assertError(t, await acme.get(path), 404, 'NOT_FOUND');
    const less = as(acme, 'system/Patient.rs', { subject: 'owner' });
    assertError(t, await less.get(path), ...FORBIDDEN);
    const limited = as(acme, 'system/Condition.rs?code=x', { subject: 'owner' });
    assertError(t, await limited.get(path), ...FORBIDDEN);
  }
  t.is((await as(acme, 'system/*.rs', { subject: 'owner' }).delete(status)).status, 202);
});

test('a client without a subject owns what it started', async (t) => {
  const client = { client: 'loader' };
  const { subject: _subject, ...principal } = as(acme, 'system/Condition.rs', client).principal;
  const mine = new TokenClient(acme.base, principal);
  const status = await kickOff(mine, '$export');
  t.not((await mine.get(status)).status, 404);
  const other = new TokenClient(acme.base, { ...principal, client: 'another' });
  assertError(t, await other.get(status), 404, 'NOT_FOUND');
});
