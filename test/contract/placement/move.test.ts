import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Bundle } from 'fhir/r4.js';
import type { Placement } from '../../../src/model/partition.js';
import type { MoveProgress } from '../../../src/storage/placement/partition-mover.js';
import { findSets } from '../../support/param-sets.js';
import { createTestDatabase } from '../../support/test-database.js';
import type { TestServer } from '../../support/test-server.js';
import { assertError, type Answer, type FhirClient } from '../support/fhir-client.js';
import { allIds, createPlaced, manage, openServer, OWN_PLACEMENTS, placementOf } from './fixtures.js';

const SEARCHES = [
  'Observation?component-code-value-quantity=skin$gt32',
  'Patient?_count=7',
  'Patient?_content=moved* -moved3&_count=5',
  'Observation?_content=again',
  'Patient?family=moved&_sort=-birthdate&_count=7',
  'Patient?identifier=urn:x|',
  'Patient?_sort=family,_id',
  'Observation?subject:Patient.family=moved3',
  'Patient?_has:Observation:patient:code=temp',
  'Observation?date=ge2020-01-05',
  'Observation?value-quantity=gt37|http://unitsofmeasure.org|Cel',
  'Observation?patient:missing=true',
  'Observation?date:missing=true',
  'Patient?_tag:missing=true',
  'Patient?active:missing=true',
];

/** A little of everything: updates, deletions, links, conditional claims, labels and content. */
async function fill(client: FhirClient): Promise<void> {
  for (let index = 0; index < 12; index++) {
    const id = `p${index}`;
    const patient = {
      resourceType: 'Patient',
      id,
      meta: { tag: [{ system: 'urn:tags', code: `t${index % 3}` }] },
      identifier: [{ system: 'urn:x', value: id }],
      birthDate: `19${50 + index}-02-03`,
      name: [{ family: `Moved${index}`, given: ['Ä', '𐀀'] }],
    };
    await client.put(`Patient/${id}`, patient);
    if (index % 2 === 0) await client.put(`Patient/${id}`, { ...patient, active: true });
    await client.put(`Observation/o${index}`, {
      resourceType: 'Observation',
      id: `o${index}`,
      status: 'final',
      code: { coding: [{ system: 'urn:codes', code: 'temp' }] },
      subject: { reference: `Patient/${id}` },
      effectiveDateTime: `2020-01-${String(index + 1).padStart(2, '0')}`,
      valueQuantity: { value: 36 + index / 4, system: 'http://unitsofmeasure.org', code: 'Cel' },
      component: [{ code: { coding: [{ code: 'skin' }] }, valueQuantity: { value: 30 + (index % 5) } }],
    });
  }
  await client.post(
    'Patient',
    { resourceType: 'Patient' },
    { 'if-none-exist': 'identifier=urn:x|conditional' },
  );
  await client.delete('Observation/o7');
  await client.delete('Observation/o8');
  await client.put('Observation/o8', {
    resourceType: 'Observation',
    id: 'o8',
    status: 'amended',
    code: { text: 'again' },
  });
  await client.send('POST', 'Binary', {
    body: new Uint8Array(450_000).fill(7),
    headers: { 'content-type': 'application/pdf' },
  });
}

/** Everything that a client can see of a tenant. */
async function inventory(client: FhirClient): Promise<unknown> {
  const history = await client.get<Bundle>('_history?_count=1000');
  const [binary] = await allIds(client, 'Binary');
  const content = await client.get(`Binary/${binary}`, { accept: 'application/pdf' });
  const searches: Record<string, readonly string[]> = {};
  for (const search of SEARCHES) searches[search] = await allIds(client, search);
  const conditional = await client.post(
    'Patient',
    { resourceType: 'Patient' },
    { 'if-none-exist': 'identifier=urn:x|p1' },
  );
  return {
    versions: history.body.entry?.map(({ fullUrl, request, response, resource }) => ({
      fullUrl,
      request,
      response,
      resource,
    })),
    total: history.body.total,
    searches,
    content: content.text.length,
    meta: (await client.get('$meta')).body,
    conditional: conditional.status,
  };
}

/** Moves by the operation, and waits for the end. */
async function move(
  t: ExecutionContext,
  { server, root }: { readonly server: TestServer; readonly root: FhirClient },
  to: Placement,
): Promise<MoveProgress> {
  const { status, text } = await manage(root, 'move-partition', { id: 1, to });
  t.is(status, 200, text);
  return ended(t, server);
}

async function ended(t: ExecutionContext, { bulkhead }: TestServer): Promise<MoveProgress> {
  for (let tries = 0; ; tries++) {
    const jobs = await bulkhead.parts.partitions.jobs();
    if (jobs.every(({ state }) => state === 'done')) return jobs.at(-1)?.result as unknown as MoveProgress;
    t.true(tries < 600, 'the move ends');
    await pause(50);
  }
}

for (const placement of OWN_PLACEMENTS) {
  test(`a tenant is equal before and after it is moved to ${placement} and back`, async (t) => {
    const database = await createTestDatabase();
    const opened = await openServer(t, { database });
    t.teardown(() => database.drop());
    const { root, server } = opened;
    const tenant = await createPlaced(t, root, 'tenant', 'shared');
    const neighbour = await createPlaced(t, root, 'neighbour', 'shared');
    await fill(tenant);
    await fill(neighbour);
    const [before, beside] = [await inventory(tenant), await inventory(neighbour)];
    for (const to of [placement, 'shared'] as const) {
      const { left, paused, copied } = await move(t, opened, to);
      t.is(await placementOf(root, 'tenant'), to);
      t.is(left, 0);
      t.true(copied >= 25);
      t.true(paused < 5_000, `${paused} ms`);
      t.deepEqual(await inventory(tenant), before);
      t.deepEqual(await inventory(neighbour), beside);
      t.like(await findSets((sql) => database.rows(sql)), { wrong: [], unknown: 0 });
    }
    const contents = await server.bulkhead.parts.partitions.contents(1 as never);
    t.true(contents.resources > 20);
    t.is((await tenant.createPatient()).resourceType, 'Patient');
  });

  test(`resources with equal keys come by age, also those of before and after moves to ${placement} and back`, async (t) => {
    const opened = await openServer(t);
    const tenant = await createPlaced(t, opened.root, 'tenant', 'shared');
    const made: string[] = [];
    for (const to of ['shared', placement, 'shared', placement] as const) {
      if (made.length > 0) await move(t, opened, to);
      for (const end of ['b', 'a']) {
        const id = `p${made.length}${end}`;
        await tenant.put(`Patient/${id}`, { resourceType: 'Patient', id, gender: 'other' });
        made.push(id);
      }
    }
    t.deepEqual(await allIds(tenant, 'Patient?_sort=gender&_count=3'), made);
  });

  test(`writers go on while a tenant is moved to ${placement}, and nothing of theirs is lost`, async (t) => {
    const opened = await openServer(t);
    const tenant = await createPlaced(t, opened.root, 'tenant', 'shared');
    await fill(tenant);
    const written = new Map<string, number>();
    const over = new AbortController();
    let longest = 0;
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let turn = 0; !over.signal.aborted; turn++) {
        const id = `w${writer}-${turn % 20}`;
        const began = performance.now();
        const body = { resourceType: 'Patient', id, name: [{ family: `V${turn}` }] };
        const { status, text, headers } = await tenant.put(`Patient/${id}`, body);
        longest = Math.max(longest, performance.now() - began);
        if (status !== 200 && status !== 201) throw new Error(`${status} ${text}`);
        written.set(id, Number(/\d+/.exec(headers.get('etag') ?? '')?.[0]));
      }
    });
    await pause(100);
    const { left } = await move(t, opened, placement);
    await pause(100);
    over.abort();
    await Promise.all(writers);
    t.is(left, 0);
    t.true(longest < 5_000, `${longest} ms`);
    for (const [id, version] of written) {
      const answer = await tenant.get(`Patient/${id}`);
      t.is(answer.headers.get('etag'), `W/"${version}"`);
      t.is((await tenant.get<Bundle>(`Patient/${id}/_history`)).body.total, version);
    }
    t.is(await tenant.count('Patient?_id=w0-0'), 1);
    t.is(await tenant.count('Patient?family=v'), written.size);
  });

  test(`what a condition claims may change hands while a tenant is moved to ${placement}`, async (t) => {
    const opened = await openServer(t);
    const tenant = await createPlaced(t, opened.root, 'tenant', 'shared');
    await fill(tenant);
    const over = new AbortController();
    const patient = { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: 'claimed' }] };
    const create = (): Promise<Answer<unknown>> =>
      tenant.post('Patient', patient, { 'if-none-exist': 'identifier=urn:x|claimed' });
    const writer = (async () => {
      while (!over.signal.aborted) {
        const { status, text } = await create();
        if (status !== 201) throw new Error(`${status} ${text}`);
        const { id } = JSON.parse(text) as { readonly id: string };
        await tenant.put(`Patient/${id}`, { resourceType: 'Patient', id });
      }
    })();
    for (const to of [placement, 'shared', placement] as const) {
      await pause(50);
      t.is((await move(t, opened, to)).left, 0);
    }
    over.abort();
    await writer;
    const answers = await Promise.all([create(), create(), create()]);
    t.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 201]);
    t.is(await tenant.count('Patient?identifier=urn:x|claimed'), 1);
  });
}

test('a move that makes no sense is refused', async (t) => {
  const { root } = await openServer(t, { partitions: [{ id: 1, name: 'tenant' }] });
  assertError(t, await manage(root, 'move-partition', { id: 1, to: 'shared' }), 400, 'INVALID_PARTITION');
  assertError(t, await manage(root, 'move-partition', { id: 1, to: 'moon' }), 400, 'INVALID_PARTITION');
  assertError(t, await manage(root, 'move-partition', { id: 1 }), 400, 'INVALID_PARTITION');
  assertError(t, await manage(root, 'move-partition', { id: 0, to: 'database' }), 400, 'INVALID_PARTITION');
  assertError(t, await manage(root, 'move-partition', { id: 9, to: 'database' }), 404, 'UNKNOWN_PARTITION');
});

test('another server on the same database finds the tenant in its new place within a second', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const first = await openServer(t, { database });
  const second = await openServer(t, { database });
  const here = await createPlaced(t, first.root, 'tenant', 'shared');
  const { id } = await here.createPatient();
  await pause(1_000);
  const there = second.root.tenant('tenant');
  t.is((await there.get(`Patient/${id}`)).status, 200);
  await move(t, first, 'database');
  t.is((await there.put(`Patient/${id}`, { resourceType: 'Patient', id, active: true })).status, 200);
  t.is((await here.get<{ active?: boolean }>(`Patient/${id}`)).body.active, true);
  await pause(1_000);
  t.is(await placementOf(second.root, 'tenant'), 'database');
  t.is(await there.count('Patient'), 1);
});
