import test, { type ExecutionContext } from 'ava';
import type { AuditEvent, Bundle } from 'fhir/r4.js';
import { FhirError } from '../../../src/index.js';
import { assertError, type FhirClient } from '../support/fhir-client.js';
import { JSON_PATCH, PATIENT } from '../hooks/fixtures.js';
import { eventsAfter, eventsOf, openAudited, queryOf, shapeOf } from './audit-fixtures.js';

const OWN: AuditEvent = {
  resourceType: 'AuditEvent',
  type: { code: 'rest' },
  recorded: '2026-01-31T00:00:00Z',
  agent: [{ requestor: true }],
  source: { observer: { display: 'a device' } },
};

const TAGGED = { ...OWN, meta: { tag: [{ system: 'urn:bulkhead:audit', code: 'server' }] } };

/** What a tenant may try; each gets the event, and is refused. */
const ATTEMPTS: Readonly<Record<string, (acme: FhirClient, event: AuditEvent) => Promise<unknown[]>>> = {
  'an update': async (acme, event) => [await acme.put(`AuditEvent/${event.id}`, { ...OWN, id: event.id })],
  'a conditional update': async (acme, { id }) => [await acme.put(`AuditEvent?_id=${id}`, OWN)],
  'a patch': async (acme, { id }) => {
    const body = JSON.stringify([{ op: 'replace', path: '/outcome', value: '8' }]);
    return [await acme.send('PATCH', `AuditEvent/${id}`, { body, headers: JSON_PATCH })];
  },
  'a delete': async (acme, { id }) => [await acme.delete(`AuditEvent/${id}`)],
  'a conditional delete': async (acme, { id }) => [await acme.delete(`AuditEvent?_id=${id}`)],
  '$meta-add': async (acme, { id }) => [await relabel(acme, `AuditEvent/${id}/$meta-add`)],
  '$meta-delete': async (acme, { id }) => [await relabel(acme, `AuditEvent/${id}/$meta-delete`)],
  'an event with the tag of the server': async (acme) => [await acme.post('AuditEvent', TAGGED)],
  'one under an id of its own': async (acme) => [
    await acme.put('AuditEvent/mine', { ...TAGGED, id: 'mine' }),
  ],
  'a transaction': async (acme, { id }) => {
    const entry = [{ request: { method: 'DELETE', url: `AuditEvent/${id}` } }];
    return [await acme.post('', { resourceType: 'Bundle', type: 'transaction', entry })];
  },
};

function relabel(acme: FhirClient, path: string): Promise<unknown> {
  const parameter = [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:x', code: 'y' }] } }];
  return acme.post(path, { resourceType: 'Parameters', parameter });
}

for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  test(`events are kept as they are: ${name}`, async (t) => {
    const { acme } = await openAudited(t);
    await acme.put('Patient/p1', PATIENT);
    const [event] = await eventsOf(acme);
    for (const answer of await attempt(acme, event!))
      assertError(t, answer as Parameters<typeof assertError>[1], 403, 'FORBIDDEN');
    const kept = await acme.get<AuditEvent>(`AuditEvent/${event?.id}`);
    t.deepEqual(kept.body, event);
    t.is(await acme.count('AuditEvent?_tag=urn:x|y'), 0);
  });
}

test('neither a batch nor _ALL deletes one, and tenants may add events of their own', async (t) => {
  const { acme, root } = await openAudited(t);
  t.is((await acme.post('AuditEvent', OWN)).status, 201);
  const own = (await eventsOf(acme)).find(({ source }) => source.observer.display === 'a device');
  const entry = [{ request: { method: 'DELETE', url: `AuditEvent/${own?.id}` } }];
  const { body } = await acme.post<Bundle>('', { resourceType: 'Bundle', type: 'batch', entry });
  t.is(body.entry?.[0]?.response?.status, '403 Forbidden');
  t.is((await root.delete(`_ALL/AuditEvent/${own?.id}`)).status, 400);
  t.is((await acme.get(`AuditEvent/${own?.id}`)).status, 200);
});

test('what an interceptor refuses is told in the partition that was asked', async (t) => {
  const guard = {
    name: 'guard',
    hooks: {
      STORAGE_PARTITION_SELECTED: ({ target }: { target: { resourceType?: string | undefined } }) => {
        if (target.resourceType === 'Practitioner') throw new FhirError('FORBIDDEN', 'not this one');
      },
    },
  };
  const { acme, beta, root } = await openAudited(t, {}, { interceptors: [guard] });
  const events = await eventsAfter(acme, async () => {
    assertError(t, await acme.get('Practitioner/d1'), 403, 'FORBIDDEN');
  });
  t.deepEqual(events.map(shapeOf), [['R', 'read', '4', undefined, '(Practitioner/d1)']]);
  t.is(events[0]?.outcomeDesc, 'FORBIDDEN');
  t.is((await eventsOf(beta)).length, 0);
  assertError(t, await root.get('nobody/Patient/p1'), 404, 'UNKNOWN_PARTITION');
  const [unknown] = await eventsOf(root.tenant('DEFAULT'));
  t.is(unknown?.outcomeDesc, 'UNKNOWN_PARTITION');
  t.deepEqual(shapeOf(unknown!), ['R', 'read', '4', undefined], 'neither the id nor the tenant is told');
});

test('what fails before its partition is selected is told there, and nowhere else', async (t) => {
  const { acme, root } = await openAudited(t);
  const events = await eventsAfter(acme, async () => {
    const invalid = { ...PATIENT, birthDate: 'long ago' };
    assertError(t, await acme.put('Patient/p1', invalid), 422, 'INVALID_RESOURCE');
    assertError(t, await acme.put('Patient/p1', '{'), 400, 'MALFORMED_JSON');
  });
  const shapes = events.map((event) => shapeOf(event).join(' '));
  t.deepEqual(shapes, ['U update 4  (Patient/p1)', 'U update 4  (Patient/p1)']);
  t.deepEqual(await eventsOf(root.tenant('DEFAULT')), []);
});

test('what is asked of all partitions names nothing of them, unless the options say so', async (t) => {
  for (const withoutPartition of ['outcome', 'all'] as const) {
    const { acme, root } = await openAudited(t, { withoutPartition });
    await acme.put('Patient/p1', PATIENT);
    t.is((await root.get('_ALL/Patient?_id=p1')).status, 200);
    const [event] = await eventsOf(root.tenant('DEFAULT'));
    t.is(queryOf(event!), withoutPartition === 'all' ? `GET ${root.base}/_ALL/Patient?_id=p1` : undefined);
    t.is(JSON.stringify(event).includes('Patient/p1'), false);
  }
});

test('refusals that anybody can cause are told so many times a minute', async (t) => {
  const { root } = await openAudited(t, { refusalsPerMinute: 2, clock: () => clock.now });
  const clock = { now: 1_000 };
  for (let n = 0; n < 5; n++) await root.get('nobody/Patient/p1');
  const home = root.tenant('DEFAULT');
  const told = (await eventsOf(home, '&outcome=4')).map(({ outcomeDesc }) => outcomeDesc);
  t.deepEqual(told, ['UNKNOWN_PARTITION', 'UNKNOWN_PARTITION']);
  clock.now += 60_000;
  await root.get('nobody/Patient/p1');
  t.is(
    (await eventsOf(home, '&outcome=4')).at(-1)?.outcomeDesc,
    'UNKNOWN_PARTITION; 3 refusals before were left out',
  );
});

test('events of reads can wait for each other, and are written when the server stops', async (t) => {
  const reads = { milliseconds: 60_000, atMost: 3 };
  const { acme, server } = await openAudited(t, { reads });
  await acme.put('Patient/p1', PATIENT);
  await acme.get('Patient/p1');
  await acme.get('Patient/p1');
  await assertCount(t, acme, 1);
  assertError(t, await acme.get('Patient/p1'), 503, 'AUDIT_UNAVAILABLE');
  t.is((await acme.put('Patient/p2', { ...PATIENT, id: 'p2' })).status, 201, 'changes do not wait');
  await server.bulkhead.hooks.observe('SERVER_STOPPING', {});
  await assertCount(t, acme, 5);
});

async function assertCount(t: ExecutionContext, client: FhirClient, count: number): Promise<void> {
  t.is(await client.count('AuditEvent'), count);
}
