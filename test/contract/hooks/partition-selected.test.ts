import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import type { Answer, FhirClient } from '../support/fhir-client.js';
import { assertError, codeOf } from '../support/fhir-client.js';
import { bundleOf, JSON_PATCH, observationOf, openHooked, openShared, PATIENT } from './fixtures.js';
import { FhirError } from '../../../src/index.js';
import { OPERATIONS } from '../../../src/operations/operations.js';

const shared = await openShared();
test.before(async () => {
  await shared.acme.put('Patient/p1', PATIENT);
});
test.after.always(() => shared.server.stop());

type Send = (client: FhirClient) => Promise<Answer<unknown>>;

const META = {
  resourceType: 'Parameters',
  parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }],
};
const NAMED = { resourceType: 'Parameters', parameter: [{ name: 'name', valueCode: 'newcomer' }] };
const UPDATED = {
  resourceType: 'Parameters',
  parameter: [{ name: 'id', valueInteger: 2 }, ...NAMED.parameter],
};
const DELETED = { resourceType: 'Parameters', parameter: [{ name: 'id', valueInteger: 2 }] };
const MOVED = {
  resourceType: 'Parameters',
  parameter: [
    { name: 'id', valueInteger: 9 },
    { name: 'to', valueCode: 'shared' },
  ],
};
const NOTHING = { resourceType: 'Parameters' };
const JOB = { resourceType: 'Parameters', parameter: [{ name: 'job', valueString: 'x' }] };
const CLIENT = { name: 'id', valueString: 'nobody' };
const EXPLAINED = { resourceType: 'Parameters', parameter: [{ name: 'url', valueString: 'Patient/p1' }] };
const ASYNC = { prefer: 'respond-async' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Every interaction under a tenant, and how a client asks for it. */
const INTERACTIONS: Readonly<Record<string, Send>> = {
  read: (acme) => acme.get('Patient/p1'),
  HEAD: (acme) => acme.send('HEAD', 'Patient/p1'),
  vread: (acme) => acme.get('Patient/p1/_history/1'),
  create: (acme) => acme.post('Patient', PATIENT),
  'conditional create': (acme) => acme.post('Patient', PATIENT, { 'if-none-exist': 'gender=female' }),
  'a raw Binary': (acme) =>
    acme.send('POST', 'Binary', { body: 'text', headers: { 'content-type': 'text/plain' } }),
  update: (acme) => acme.put('Patient/p1', PATIENT),
  'update as create': (acme) => acme.put('Patient/p2', { ...PATIENT, id: 'p2' }),
  'conditional update': (acme) => acme.put('Patient?gender=female', PATIENT),
  patch: (acme) => acme.send('PATCH', 'Patient/p1', { body: '[]', headers: JSON_PATCH }),
  'conditional patch': (acme) =>
    acme.send('PATCH', 'Patient?gender=female', { body: '[]', headers: JSON_PATCH }),
  delete: (acme) => acme.delete('Patient/p1'),
  'conditional delete': (acme) => acme.delete('Patient?gender=female'),
  'history of an instance': (acme) => acme.get('Patient/p1/_history'),
  'history of a type': (acme) => acme.get('Patient/_history'),
  'history of the system': (acme) => acme.get('_history'),
  search: (acme) => acme.get('Patient'),
  'search by POST': (acme) => acme.post('Patient/_search', 'gender=female', FORM),
  'search over all types': (acme) => acme.get('?gender=female'),
  capabilities: (acme) => acme.get('metadata'),
  batch: (acme) => acme.post('', bundleOf('batch')),
  transaction: (acme) => acme.post('', bundleOf('transaction')),
  $meta: (acme) => acme.get('$meta'),
  '$meta of a type': (acme) => acme.get('Patient/$meta'),
  '$meta of an instance': (acme) => acme.get('Patient/p1/$meta'),
  '$meta-add': (acme) => acme.post('Patient/p1/$meta-add', META),
  '$meta-delete': (acme) => acme.post('Patient/p1/$meta-delete', META),
  $validate: (acme) => acme.post('Patient/$validate', PATIENT),
  '$validate of an instance': (acme) => acme.get('Patient/p1/$validate'),
  $everything: (acme) => acme.get('Patient/p1/$everything'),
  '$everything of a type': (acme) => acme.get('Patient/$everything'),
  $lastn: (acme) => acme.get('Observation/$lastn?patient=Patient/p1'),
  $stats: (acme) =>
    acme.get('Observation/$stats?subject=Patient/p1&code=x&system=urn:x&duration=1&statistic=average'),
  $export: (acme) => acme.get('$export', ASYNC),
  '$export of patients': (acme) => acme.post('Patient/$export', NOTHING, ASYNC),
  '$export of a group': (acme) => acme.get('Group/g1/$export', ASYNC),
  '$export-poll-status': (acme) => acme.get('$export-poll-status?_jobId=x'),
  '$export-poll-status by DELETE': (acme) => acme.delete('$export-poll-status?_jobId=x'),
  '$export-file': (acme) => acme.get('$export-file/x/Patient.1.ndjson'),
  $usage: (acme) => acme.get('$usage'),
  $reindex: (acme) => acme.post('$reindex', NOTHING),
  '$reindex of a type': (acme) => acme.post('Patient/$reindex', NOTHING),
  '$reindex-status': (acme) => acme.get('$reindex-status?job=x'),
  '$client-register': (acme) => acme.post('$client-register', { ...NOTHING, parameter: [CLIENT] }),
  '$client-list': (acme) => acme.get('$client-list'),
  '$client-disable': (acme) => acme.post('$client-disable', { ...NOTHING, parameter: [CLIENT] }),
  '$client-enable': (acme) => acme.post('$client-enable', { ...NOTHING, parameter: [CLIENT] }),
  '$client-remove': (acme) => acme.post('$client-remove', { ...NOTHING, parameter: [CLIENT] }),
  '$reindex-cancel': (acme) => acme.post('$reindex-cancel', JOB),
};

/** What is asked of types that stand in DEFAULT, whoever asks. */
const PINNED: Readonly<Record<string, Send>> = {
  $expand: (acme) => acme.get('ValueSet/$expand?url=urn:x'),
  '$validate-code': (acme) => acme.get('ValueSet/$validate-code?url=urn:x&system=urn:x&code=x'),
  '$validate-code of a code system': (acme) => acme.get('CodeSystem/$validate-code?url=urn:x&code=x'),
  $lookup: (acme) => acme.get('CodeSystem/$lookup?system=urn:x&code=x'),
  $subsumes: (acme) => acme.get('CodeSystem/$subsumes?system=urn:x&codeA=x&codeB=y'),
};

const MANAGEMENT: Readonly<Record<string, Send>> = {
  '$partition-management-list-partitions': (root) => root.get('$partition-management-list-partitions'),
  '$partition-management-read-partition': (root) => root.get('$partition-management-read-partition?id=1'),
  '$partition-management-create-partition': (root) =>
    root.post('$partition-management-create-partition', NAMED),
  '$partition-management-update-partition': (root) =>
    root.post('$partition-management-update-partition', UPDATED),
  '$partition-management-delete-partition': (root) =>
    root.post('$partition-management-delete-partition', DELETED),
  '$partition-management-move-partition': (root) => root.post('$partition-management-move-partition', MOVED),
  '$search-explain': (root) => root.post('$search-explain', EXPLAINED),
  '$partition-explain': (root) => root.post('$partition-explain', EXPLAINED),
};

test('every operation stands in the tables of this test', (t) => {
  const named = Object.keys({ ...INTERACTIONS, ...PINNED, ...MANAGEMENT }).map((name) => name.split(' ')[0]);
  t.deepEqual(
    OPERATIONS.map(({ name }) => name).filter((name) => !named.includes(name)),
    [],
  );
});

type Case = readonly [name: string, send: Send, through: 'acme' | 'root', partition: 'acme' | 'DEFAULT'];

const CASES: readonly Case[] = [
  ...Object.entries(INTERACTIONS).map(([name, send]) => [name, send, 'acme', 'acme'] as const),
  ...Object.entries(PINNED).map(([name, send]) => [name, send, 'acme', 'DEFAULT'] as const),
  ...Object.entries(MANAGEMENT).map(([name, send]) => [name, send, 'root', 'DEFAULT'] as const),
];

for (const [name, send, through, partition] of CASES) {
  test.serial(`STORAGE_PARTITION_SELECTED guards ${name}`, async (t) => {
    const { acme, root, server } = shared;
    let closed = true;
    const seen: string[] = [];
    shared.hook(t, {
      STORAGE_PARTITION_SELECTED: ({ partitions }) => {
        if (!closed) return;
        seen.push(partitions.map((one) => one.name).join());
        throw new FhirError('FORBIDDEN', 'guarded');
      },
    });
    const answer = await send(through === 'acme' ? acme : root);
    t.is(answer.status, 403, answer.text);
    if (answer.text !== '') t.is(codeOf(answer), 'FORBIDDEN');
    t.deepEqual(seen, [partition]);
    closed = false;
    const history = await acme.get<Bundle>('_history');
    t.is(history.body.total, 1, 'nothing was written');
    t.deepEqual(
      server.bulkhead.partitions.list().map((one) => one.name),
      ['DEFAULT', 'acme', 'beta'],
    );
  });
}

test('STORAGE_PARTITION_SELECTED guards every page', async (t) => {
  let closed = false;
  const { acme, root } = await openHooked(t, {
    STORAGE_PARTITION_SELECTED: ({ target }) => {
      if (closed && target.interaction === 'page') throw new FhirError('FORBIDDEN', 'guarded');
    },
  });
  for (const id of ['p1', 'p2']) await acme.put(`Patient/${id}`, { ...PATIENT, id });
  for (const path of ['Patient?_count=1', 'Patient/_history?_count=1', '_history?_count=1']) {
    closed = false;
    const { body } = await acme.get<Bundle>(path);
    const next = body.link?.find(({ relation }) => relation === 'next')?.url ?? '';
    t.is((await root.get(next)).status, 200, path);
    closed = true;
    assertError(t, await root.get(next), 403, 'FORBIDDEN');
  }
});

test('STORAGE_PARTITION_SELECTED guards every entry of a bundle, and conditional references', async (t) => {
  const seen: unknown[] = [];
  const { acme } = await openHooked(t, {
    STORAGE_PARTITION_SELECTED: ({ target }) =>
      void seen.push([target.interaction, target.resourceType, target.id]),
  });
  const subject = { reference: 'Patient?gender=female' };
  const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject };
  await acme.put('Patient/p1', PATIENT);
  seen.length = 0;
  const entries = [
    { request: { method: 'GET', url: 'Patient/p1' } },
    { resource: observation, request: { method: 'POST', url: 'Observation' } },
    { request: { method: 'DELETE', url: 'Patient/none' } },
  ];
  t.is((await acme.post('', bundleOf('transaction', ...entries))).status, 200);
  const asked = seen.map((one) => JSON.stringify(one)).toSorted();
  t.deepEqual(asked, [
    '["create","Observation",null]',
    '["delete","Patient","none"]',
    '["read","Patient","p1"]',
    '["search-type","Patient",null]',
    '["transaction",null,null]',
  ]);
});

test('a change of labels is announced as the update that it is', async (t) => {
  const seen: unknown[] = [];
  const { acme } = await openHooked(t, {
    STORAGE_PARTITION_SELECTED: ({ target }) => void seen.push([target.interaction, target.operation]),
  });
  await acme.put('Patient/p1', PATIENT);
  seen.length = 0;
  await acme.post('Patient/p1/$meta-add', META);
  t.deepEqual(seen, [['update', '$meta-add']]);
});

test('each interaction is decided once', async (t) => {
  let asked = 0;
  const count = (): undefined => void (asked += 1);
  const { acme } = await openHooked(t, {
    STORAGE_PARTITION_IDENTIFY_READ: count,
    STORAGE_PARTITION_IDENTIFY_CREATE: count,
  });
  await acme.put('Patient/p1', PATIENT);
  for (const [name, send] of Object.entries(INTERACTIONS)) {
    if (/^(delete|conditional delete|update as create|conditional)/.test(name)) continue;
    asked = 0;
    await send(acme);
    t.is(asked, 1, name);
  }
});

test('a write that has to be planned anew is not decided anew', async (t) => {
  let selected = 0;
  let asked = 0;
  const { acme } = await openHooked(t, {
    STORAGE_PARTITION_IDENTIFY_READ: () => void (asked += 1),
    STORAGE_PARTITION_SELECTED: () => void (selected += 1),
    STORAGE_PRESTORAGE_DELETE_CONFLICTS: () => 'ignore',
  });
  await acme.put('Patient/p1', PATIENT);
  await acme.put('Observation/b1', { ...observationOf('Patient/p1'), id: 'b1' });
  [selected, asked] = [0, 0];
  const updates = Array.from({ length: 12 }, (_, index) =>
    acme.put('Patient/p1', { ...PATIENT, multipleBirthInteger: index }),
  );
  const statuses = (await Promise.all(updates)).map(({ status }) => status);
  t.deepEqual(new Set(statuses), new Set([200]));
  t.deepEqual([selected, asked], [12, 12]);
  t.is((await acme.delete('Patient/p1')).status, 204);
  t.deepEqual([selected, asked], [13, 13]);
});
