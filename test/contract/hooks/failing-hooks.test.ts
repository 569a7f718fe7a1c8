import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { FhirError, type Hooks } from '../../../src/index.js';
import { assertError } from '../support/fhir-client.js';
import { bundleOf, eventually, observationOf, openHooked, openShared, PATIENT } from './fixtures.js';

const SECRET = 'select * from HFJ_RESOURCE at /srv/bulkhead';

/** Where a hook may fail, and what a client does to get there. */
const PLACES = [
  'SERVER_INCOMING_REQUEST_PRE_PROCESSED',
  'SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED',
  'SERVER_INCOMING_REQUEST_POST_PROCESSED',
  'SERVER_INCOMING_REQUEST_PRE_HANDLED',
  'SERVER_OUTGOING_RESPONSE',
  'STORAGE_PRESTORAGE_RESOURCE_CREATED',
  'STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID',
  'STORAGE_PRECOMMIT_RESOURCE_CREATED',
  'VALIDATION_COMPLETED',
  'STORAGE_PARTITION_IDENTIFY_READ',
  'STORAGE_PARTITION_IDENTIFY_CREATE',
  'STORAGE_PARTITION_SELECTED',
] as const;

// Every test has an id of its own: some hooks fail when the resource is stored.
const shared = await openShared();
test.after.always(() => shared.server.stop());

for (const [place, pointcut] of PLACES.entries()) {
  for (const manner of ['throws', 'rejects'] as const) {
    test.serial(
      `${pointcut}: a hook that ${manner} an Error is 500 with the request id and nothing else`,
      async (t) => {
        shared.hook(t, { [pointcut]: manner === 'throws' ? throwing : rejecting });
        const id = `${manner}-${place}`;
        const asked = { 'x-request-id': 'asked-1' };
        const answer = await shared.acme.put(`Patient/${id}`, { ...PATIENT, id }, asked);
        assertError(t, answer, 500, 'INTERNAL');
        t.is(answer.headers.get('x-request-id'), 'asked-1');
        t.is(answer.body.issue[0]?.diagnostics, 'The server failed. Request id: asked-1.');
        t.false(`${answer.text}${JSON.stringify([...answer.headers])}`.includes('HFJ_'));
      },
    );
  }
}

function throwing(): never {
  throw new Error(SECRET);
}

async function rejecting(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  throw new TypeError(SECRET);
}

test('a hook that throws something else than an Error is 500 all the same', async (t) => {
  const thrown: unknown = SECRET;
  const { acme } = await openHooked(t, {
    STORAGE_PARTITION_SELECTED: () => {
      throw thrown;
    },
  });
  const answer = await acme.get('Patient/p1');
  assertError(t, answer, 500, 'INTERNAL');
  t.false(answer.text.includes('HFJ_'));
});

test('a FhirError of a hook keeps its status, headers and issues', async (t) => {
  const issues = [{ severity: 'error', code: 'throttled', diagnostics: 'slow down' }] as const;
  const { acme } = await openHooked(t, {
    SERVER_INCOMING_REQUEST_PRE_HANDLED: async () => {
      throw new FhirError('BUSY', 'slow down', { status: 429, headers: { 'retry-after': '7' }, issues });
    },
  });
  const answer = await acme.get('Patient/p1');
  t.is(answer.status, 429);
  t.is(answer.headers.get('retry-after'), '7');
  t.deepEqual(answer.body.issue, [...issues]);
});

/** What a pointcut that can only be refused by a throw must not take for an answer. */
const refusing: () => unknown = () => false;

test('an answer that a pointcut does not know is refused, never taken for consent', async (t) => {
  const wrong: readonly Hooks[] = [
    { STORAGE_PARTITION_SELECTED: refusing as () => undefined },
    { STORAGE_PRESTORAGE_RESOURCE_CREATED: () => ({ resourceType: 'Group' }) },
    { STORAGE_PARTITION_IDENTIFY_CREATE: () => ({ by: 'id', ids: [1], date: 'someday' }) },
  ];
  for (const hooks of wrong) {
    const { acme } = await openHooked(t, hooks);
    assertError(t, await acme.put('Patient/p1', PATIENT), 500, 'INTERNAL');
  }
});

test('a header that HTTP does not allow is 500, and the request is completed', async (t) => {
  const completed: number[] = [];
  const { acme } = await openHooked(t, {
    SERVER_OUTGOING_RESPONSE: ({ value }) => ({ ...value, headers: { 'x-bad': 'a\r\nset-cookie: b' } }),
    SERVER_PROCESSING_COMPLETED: ({ status }) => void completed.push(status),
  });
  const answer = await acme.get('metadata');
  t.is(answer.status, 500);
  t.is(answer.headers.get('set-cookie'), null);
  await eventually(t, () => completed.length === 1);
  t.deepEqual(completed, [500]);
});

test('slow hooks are waited for, and requests of others go on', async (t) => {
  const others = Promise.withResolvers<void>();
  const { acme, root } = await openHooked(t, {
    STORAGE_PARTITION_SELECTED: async ({ request }) => {
      if (request.headers.has('x-slow')) await others.promise;
    },
    STORAGE_PRESTORAGE_RESOURCE_CREATED: async ({ value }) => ({ ...value, language: 'en' }),
  });
  const slow = acme.put<Patient>('Patient/p1', PATIENT, { 'x-slow': '1' });
  t.is((await root.tenant('beta').put('Patient/p1', PATIENT)).status, 201);
  others.resolve();
  t.is((await slow).body.language, 'en');
});

test('hooks run by order, and a removed one no more', async (t) => {
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const { acme, server } = await openHooked(t, { SERVER_INCOMING_REQUEST_PRE_HANDLED: note('tested') });
  const { hooks } = server.bulkhead;
  hooks.register({ name: 'last', order: 5, hooks: { SERVER_INCOMING_REQUEST_PRE_HANDLED: note('last') } });
  const remove = hooks.register({
    name: 'first',
    hooks: { SERVER_INCOMING_REQUEST_PRE_HANDLED: { order: -9, handle: note('first') } },
  });
  await acme.get('Patient/p1');
  remove();
  await acme.get('Patient/p1');
  t.deepEqual(order, ['first', 'tested', 'last', 'tested', 'last']);
});

const REFUSED = { ...PATIENT, id: 'p9', gender: 'male' };

/** An entry that stores the patient under its id. */
const put = (resource: { readonly id: string; readonly gender: string }) => ({
  resource,
  request: { method: 'PUT', url: `Patient/${resource.id}` },
});

/** Throws for what is male, whatever happens to it. */
const ROLLBACK: Hooks = Object.fromEntries(
  (['CREATED', 'UPDATED', 'DELETED'] as const).map((what) => [
    `STORAGE_PRECOMMIT_RESOURCE_${what}`,
    async ({ resource }: { readonly resource: { readonly gender?: unknown } }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (resource.gender === 'male') throw new FhirError('FORBIDDEN', 'not him');
    },
  ]),
);

test('a PRECOMMIT throw rolls back a whole transaction: rows, versions, indexes, claims', async (t) => {
  const { acme, server } = await openHooked(t, ROLLBACK);
  await acme.put('Patient/p1', PATIENT);
  await acme.put('Patient/p2', { ...PATIENT, id: 'p2' });
  const before = await server.bulkhead.parts.partitions.contents(1 as never);
  const history = (await acme.get('_history')).text;
  const create = {
    resource: PATIENT,
    request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:x|1' },
  };
  const rest = [
    create,
    put({ ...PATIENT, gender: 'other' }),
    { request: { method: 'DELETE', url: 'Patient/p2' } },
    { resource: observationOf('Patient/p1'), request: { method: 'POST', url: 'Observation' } },
  ];
  const answer = await acme.post('', bundleOf('transaction', ...rest, put(REFUSED)));
  assertError(t, answer, 403, 'FORBIDDEN');
  t.is((await acme.get('_history')).text, history);
  t.deepEqual(await server.bulkhead.parts.partitions.contents(1 as never), before);
  t.is(
    (await acme.post<Bundle>('', bundleOf('transaction', ...rest))).status,
    200,
    'the rest alone goes through',
  );
});

test('one write that is rolled back fails none that shares its commit', async (t) => {
  const { acme } = await openHooked(t, ROLLBACK);
  const writes = Array.from({ length: 40 }, (_, index) => {
    const id = `n${index}`;
    return acme.put(`Patient/${id}`, { ...PATIENT, id, gender: index % 4 === 0 ? 'male' : 'female' });
  });
  const statuses = (await Promise.all(writes)).map(({ status }) => status);
  t.deepEqual(
    statuses,
    Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? 403 : 201)),
  );
  t.is(await acme.count('Patient'), 30);
});

test('a PRECOMMIT throw rolls back an update and a delete of their own', async (t) => {
  const { acme, server } = await openHooked(t, { INTERCEPTOR_REGISTERED: () => undefined });
  await acme.put('Patient/p9', REFUSED);
  server.bulkhead.hooks.register({ name: 'late', hooks: ROLLBACK });
  t.is((await acme.put('Patient/p9', { ...REFUSED, active: true })).status, 403);
  t.is((await acme.delete('Patient/p9')).status, 403);
  t.is((await acme.get<Patient>('Patient/p9')).body.meta?.versionId, '1');
  t.is(await acme.count('Patient?gender=male'), 1);
  t.is(await acme.count('Patient?active=true'), 0);
});
