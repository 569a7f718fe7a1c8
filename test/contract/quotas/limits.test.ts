import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import type { Interceptor } from '../../../src/index.js';
import { assertError } from '../support/fhir-client.js';
import { assertExact, bundleOf, openLimited, patientOf, usageOf } from './fixtures.js';

test('as many resources as the quota says are stored, and one more leaves nothing', async (t) => {
  const limited = await openLimited(t, { acme: { resources: 2 } });
  const { acme } = limited;
  const first = await acme.put('Patient/a', patientOf('a'));
  t.is(first.headers.get('quota-limit'), 'resources=2');
  t.is(first.headers.get('quota-remaining'), 'resources=1');
  t.is((await acme.post('Patient', patientOf('x'))).headers.get('quota-remaining'), 'resources=0');
  const refused = await acme.put('Patient/b', patientOf('b'));
  assertError(t, refused, 429, 'QUOTA_EXCEEDED');
  t.regex(refused.text, /may hold 2 resources and holds 2; this request needs room for 1 more/);
  t.is(refused.headers.get('quota-limit'), 'resources=2');
  t.is(refused.headers.get('quota-remaining'), 'resources=0');
  t.is((await acme.get('Patient/b')).status, 404);
  t.is((await acme.get('Patient/b/_history')).status, 404);
  t.is(await acme.count('Patient'), 2);
  assertError(t, await acme.post('Patient', patientOf('c')), 429, 'QUOTA_EXCEEDED');
  t.is((await acme.put('Patient/a', { ...patientOf('a'), active: true })).status, 200);
  await assertExact(t, limited);
});

test('a neighbour without a quota stores on, and is told nothing', async (t) => {
  const { acme, beta } = await openLimited(t, { acme: { resources: 0 } });
  assertError(t, await acme.put('Patient/a', patientOf('a')), 429, 'QUOTA_EXCEEDED');
  const stored = await beta.put('Patient/a', patientOf('a'));
  t.is(stored.status, 201);
  t.is(stored.headers.get('quota-limit'), null);
  t.deepEqual(await usageOf(beta), { name: 'beta', jobs: 0 });
  t.is((await acme.get('Patient')).headers.get('quota-limit'), null);
});

test('neighbours with quotas are told their own', async (t) => {
  const { acme, beta } = await openLimited(t, { acme: { resources: 5 }, beta: { resources: 1 } });
  await acme.put('Patient/a', patientOf('a'));
  const { headers } = await beta.put('Patient/a', patientOf('a'));
  t.is(headers.get('quota-limit'), 'resources=1');
  t.is(headers.get('quota-remaining'), 'resources=0');
  assertError(t, await beta.put('Patient/b', patientOf('b')), 429, 'QUOTA_EXCEEDED');
  t.is((await acme.put('Patient/b', patientOf('b'))).headers.get('quota-remaining'), 'resources=3');
});

test('a delete gives its resource back, also where the limit was lowered below what there is', async (t) => {
  const limits = { acme: { resources: 3 } };
  const limited = await openLimited(t, limits);
  const { acme } = limited;
  for (const id of ['a', 'b', 'c']) await acme.put(`Patient/${id}`, patientOf(id));
  limits.acme = { resources: 1 };
  assertError(t, await acme.put('Patient/d', patientOf('d')), 429, 'QUOTA_EXCEEDED');
  t.is((await acme.delete('Patient/a')).status, 204);
  t.is((await acme.delete('Patient/a')).status, 204);
  assertError(t, await acme.put('Patient/a', patientOf('a')), 429, 'QUOTA_EXCEEDED');
  t.is((await acme.delete('Patient?_id=b')).status, 204);
  t.is((await acme.delete('Patient/c')).status, 204);
  t.is((await acme.put('Patient/a', patientOf('a'))).status, 201);
  assertError(t, await acme.put('Patient/b', patientOf('b')), 429, 'QUOTA_EXCEEDED');
  await assertExact(t, limited);
});

test('a transaction is stored whole or not at all, and counts what it leaves', async (t) => {
  const limited = await openLimited(t, { acme: { resources: 3 } });
  const { acme } = limited;
  t.is((await acme.post('', bundleOf('transaction', { puts: ['a', 'b'] }))).status, 200);
  const refused = await acme.post('', bundleOf('transaction', { puts: ['c', 'd'] }));
  assertError(t, refused, 429, 'QUOTA_EXCEEDED');
  t.is(await acme.count('Patient'), 2);
  const swapped = await acme.post('', bundleOf('transaction', { puts: ['c', 'd'], deletes: ['a'] }));
  t.is(swapped.status, 200, swapped.text);
  t.is(swapped.headers.get('quota-remaining'), 'resources=0');
  await assertExact(t, limited);
});

test('of a batch the entries are stored that there is room for', async (t) => {
  const limited = await openLimited(t, { acme: { resources: 3 } });
  const { acme } = limited;
  const puts = ['a', 'b', 'c', 'd', 'e'];
  const { body } = await acme.post<Bundle>('', bundleOf('batch', { puts }));
  const statuses = (body.entry ?? []).map(({ response }) => response?.status.slice(0, 3));
  t.deepEqual(statuses.toSorted(), ['201', '201', '201', '429', '429']);
  t.is(await acme.count('Patient'), 3);
  await assertExact(t, limited);
});

test('every version counts its bytes, and deletes are never refused', async (t) => {
  const limited = await openLimited(t, { acme: { bytes: 5_000 } });
  const { acme } = limited;
  t.is((await acme.put('Patient/a', patientOf('a', 2_000))).status, 201);
  const second = await acme.put('Patient/a', patientOf('a', 2_001));
  t.is(second.status, 200);
  const left = Number(/^bytes=(\d+)$/.exec(second.headers.get('quota-remaining') ?? '')?.[1]);
  t.true(left > 0 && left < 1_000, String(left));
  const { bytes } = await usageOf(acme);
  t.is(bytes, 5_000 - left);
  const refused = await acme.put('Patient/a', patientOf('a', 2_002));
  assertError(t, refused, 429, 'QUOTA_EXCEEDED');
  t.regex(refused.text, /Earlier versions count/);
  const PATCH = { 'content-type': 'application/json-patch+json' };
  const patch = JSON.stringify([{ op: 'add', path: '/active', value: true }]);
  const patched = await acme.send('PATCH', 'Patient/a', { body: patch, headers: PATCH });
  assertError(t, patched, 429, 'QUOTA_EXCEEDED');
  const meta = {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }],
  };
  assertError(t, await acme.post('Patient/a/$meta-add', meta), 429, 'QUOTA_EXCEEDED');
  t.is((await acme.get<{ meta: { versionId: string } }>('Patient/a')).body.meta.versionId, '2');
  t.is((await acme.delete('Patient/a')).status, 204);
  t.is((await usageOf(acme))['bytes'], bytes);
  await assertExact(t, limited);
});

test('the content of a Binary counts, and goes with what is refused', async (t) => {
  const limited = await openLimited(t, { acme: { bytes: 600_000 } });
  const { acme, server } = limited;
  const send = (size: number) =>
    acme.send('POST', 'Binary', { body: 'x'.repeat(size), headers: { 'content-type': 'text/plain' } });
  t.is((await send(500_000)).status, 201);
  assertError(t, await send(300_000), 429, 'QUOTA_EXCEEDED');
  const { bytes } = await usageOf(acme);
  t.true((bytes as number) > 500_000);
  await assertExact(t, limited);
  t.is(await server.bulkhead.parts.blobs.sweep(Number.MAX_SAFE_INTEGER), 0);
});

test('what the server stores by itself counts, and is never too much', async (t) => {
  const recording: Interceptor = {
    name: 'recording',
    order: 0,
    hooks: {
      STORAGE_PRESTORAGE_RECORDS: ({ value, writes }) => [
        ...value,
        ...writes.map(({ partition }) => ({
          partition,
          resource: { resourceType: 'Basic', code: { text: 'x'.repeat(100) } },
        })),
      ],
    },
  };
  const limited = await openLimited(t, { acme: { resources: 3 } }, { interceptors: [recording] });
  const { acme } = limited;
  t.is((await acme.put('Patient/a', patientOf('a'))).status, 201);
  t.is((await acme.put('Patient/b', patientOf('b'))).status, 201);
  t.like(await usageOf(acme), { resources: 4 });
  assertError(t, await acme.put('Patient/c', patientOf('c')), 429, 'QUOTA_EXCEEDED');
  t.is((await acme.delete('Patient/a')).status, 204);
  t.like(await usageOf(acme), { resources: 4 });
  t.is(await acme.count('Basic'), 3);
  await assertExact(t, limited);
});

test('a server whose quota is no number says so to its operator alone', async (t) => {
  const { acme } = await openLimited(t, { acme: { resources: Number.NaN } });
  assertError(t, await acme.put('Patient/a', patientOf('a')), 500, 'INTERNAL');
});
