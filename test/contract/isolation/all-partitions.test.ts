import test from 'ava';
import type { Bundle, BundleEntry, CapabilityStatement, FhirResource } from 'fhir/r4.js';
import { type Answer, assertError, type FhirClient } from '../support/fhir-client.js';
import {
  diagnosticsOf,
  FOREIGN_ID,
  idsOf,
  linkOf,
  openSeededWorld,
  openWorld,
  type World,
} from './fixtures.js';

let world: World;
let all: FhirClient;

test.before(async () => {
  world = await openSeededWorld();
  all = world.root.tenant('_ALL');
});

test.after.always(() => world.server.stop());

function updatedTimes({ body }: Answer<Bundle>): readonly string[] {
  return (body.entry ?? []).map(({ response }) => response?.lastModified ?? '');
}

function canariesIn(text: string): readonly boolean[] {
  return [text.includes(world.acme.canary), text.includes(world.beta.canary)];
}

test('a search over all partitions finds what every tenant holds', async (t) => {
  const answer = await all.get<Bundle>('Patient?identifier=urn:mrn|1');
  t.deepEqual(idsOf(answer), ['Patient/p1', 'Patient/p1']);
  t.is(answer.body.total, 2);
  t.deepEqual(canariesIn(answer.text), [true, true]);
  t.is(await all.count('Observation?patient.name=okafor'), 2);
});

test('an include over all partitions joins no resources of different tenants', async (t) => {
  const answer = await all.get<Bundle>('Observation?_id=b1&_include=Observation:subject');
  t.deepEqual(idsOf(answer), ['Observation/b1', 'Observation/b1', 'Patient/p1', 'Patient/p1']);
});

test('an id that one tenant holds is read from there', async (t) => {
  const answer = await all.get(`Patient/${FOREIGN_ID}`);
  t.is(answer.status, 200);
  t.deepEqual(canariesIn(answer.text), [false, true]);
});

test('an id that several tenants hold is 412 and names them', async (t) => {
  for (const path of [
    'Patient/p1',
    'Patient/p1/_history/1',
    'Patient/p1/_history',
    'Patient/p1/$meta',
    'Patient/p1/$validate',
  ]) {
    const answer = await all.get(path);
    assertError(t, answer, 412, 'SEVERAL_MATCHES');
    t.regex(diagnosticsOf(answer), /acme.*beta/, path);
    t.deepEqual(canariesIn(answer.text), [false, false]);
  }
});

test('an id that nobody holds is 404', async (t) => {
  assertError(t, await all.get('Patient/nobody'), 404, 'NOT_FOUND');
});

test.serial('a history over all partitions is one list, newest first, on every page', async (t) => {
  const fresh = await openWorld();
  t.teardown(() => fresh.server.stop());
  const { acme, beta, root } = fresh;
  for (let turn = 0; turn < 6; turn++) {
    const { client } = turn % 2 === 0 ? acme : beta;
    await client.put('Patient/h1', { resourceType: 'Patient', id: 'h1', multipleBirthInteger: turn });
    await client.put('Group/h1', {
      resourceType: 'Group',
      id: 'h1',
      type: 'person',
      actual: false,
      quantity: turn,
    });
  }
  await acme.client.delete('Group/h1');
  for (const path of ['_history', 'Patient/_history', 'Group/_history']) {
    const whole = await root.tenant('_ALL').get<Bundle>(`${path}?_count=100`);
    const times = updatedTimes(whole);
    t.deepEqual(times, times.toSorted().toReversed(), path);
    t.is(whole.body.total, whole.body.entry?.length);
    const paged: BundleEntry[] = [];
    let next: string | undefined = `${root.base}/_ALL/${path}?_count=2`;
    while (next !== undefined) {
      const page: Answer<Bundle> = await root.get<Bundle>(next);
      paged.push(...(page.body.entry ?? []));
      next = linkOf(page, 'next');
    }
    t.deepEqual(paged, whole.body.entry, path);
  }
  t.is((await root.tenant('_ALL').get<Bundle>('_history')).body.total, 13);
});

test('pages of a search over all partitions miss and repeat nothing', async (t) => {
  const found: string[] = [];
  let next: string | undefined = `${all.base}/Patient?_count=1&_sort=-birthdate`;
  while (next !== undefined) {
    const page: Answer<Bundle> = await world.root.get<Bundle>(next);
    found.push(...(page.body.entry ?? []).map(({ resource }) => JSON.stringify(resource)));
    next = linkOf(page, 'next');
  }
  t.is(found.length, 3);
  t.is(new Set(found).size, 3);
});

const PATIENT: FhirResource = { resourceType: 'Patient', id: FOREIGN_ID };
const WRITES: Readonly<Record<string, () => Promise<Answer<unknown>>>> = {
  create: () => all.post('Patient', PATIENT),
  'conditional create': () => all.post('Patient', PATIENT, { 'if-none-exist': 'identifier=urn:mrn|none' }),
  update: () => all.put(`Patient/${FOREIGN_ID}`, PATIENT),
  'update as create': () => all.put('Patient/new', { ...PATIENT, id: 'new' }),
  'conditional update': () => all.put('Patient?identifier=urn:mrn|1', PATIENT),
  patch: () =>
    all.send('PATCH', `Patient/${FOREIGN_ID}`, {
      body: '[]',
      headers: { 'content-type': 'application/json-patch+json' },
    }),
  delete: () => all.delete(`Patient/${FOREIGN_ID}`),
  'conditional delete': () => all.delete('Patient?identifier=urn:mrn|1'),
};

for (const [what, write] of Object.entries(WRITES)) {
  test(`${what} over all partitions is 400`, async (t) => {
    assertError(t, await write(), 400, 'PARTITION_REQUIRED_ONE');
    t.is(await all.count('Patient'), 3);
  });
}

test('a change of labels over all partitions is 400', async (t) => {
  const body = {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }],
  };
  for (const operation of ['$meta-add', '$meta-delete']) {
    assertError(t, await all.post(`Patient/${FOREIGN_ID}/${operation}`, body), 400, 'PARTITION_REQUIRED_ONE');
  }
});

test('all partitions have a CapabilityStatement of their own', async (t) => {
  const { body } = await all.get<CapabilityStatement>('metadata');
  t.is(body.implementation?.url, all.base);
});

test.serial('a partition that is added later is among all', async (t) => {
  await world.server.bulkhead.partitions.create({ name: 'late' });
  const late = world.root.tenant('late');
  await late.put('Basic/late', { resourceType: 'Basic', id: 'late', code: { text: 'late' } });
  t.is((await all.get('Basic/late')).status, 200);
});

test('all partitions can be closed to clients', async (t) => {
  const closed = await openSeededWorld({ settings: { allPartitionsTenant: false } });
  t.teardown(() => closed.server.stop());
  assertError(t, await closed.root.tenant('_ALL').get('Patient'), 403, 'FORBIDDEN');
});
