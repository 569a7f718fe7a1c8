import test from 'ava';
import { as, believing } from '../access/fixtures.js';
import { kickOff, locationOf } from '../export/fixtures.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { openLimited, patientOf, tally, usageOf } from './fixtures.js';

test('as many exports wait or run as the quota says, and one that is cancelled makes room', async (t) => {
  const limits = { acme: { jobs: 2 } };
  const { acme, beta } = await openLimited(t, limits, { settings: { exportWorkers: 0 } });
  const started = await Promise.all(Array.from({ length: 6 }, () => kickOff(acme, '$export')));
  t.deepEqual(tally(started), { 202: 2, 429: 4 });
  const refused = await kickOff(acme, '$export');
  assertError(t, refused, 429, 'QUOTA_EXCEEDED');
  t.is(refused.headers.get('quota-limit'), 'jobs=2');
  t.is(refused.headers.get('quota-remaining'), 'jobs=0');
  t.truthy(refused.headers.get('retry-after'));
  t.deepEqual(await usageOf(acme), { name: 'acme', jobs: 2, jobsLimit: 2 });
  t.is((await kickOff(beta, '$export')).status, 202);
  const first = started.find(({ status }) => status === 202)!;
  t.is((await acme.delete(locationOf(first))).status, 202);
  t.is((await kickOff(acme, '$export')).status, 202);
});

test('the limit of exports that the settings have goes on where the quota is greater', async (t) => {
  const settings = { exportWorkers: 0, exportMaxPerPartition: 1 };
  const { acme } = await openLimited(t, { acme: { jobs: 5 } }, { settings });
  t.is((await kickOff(acme, '$export')).status, 202);
  assertError(t, await kickOff(acme, '$export'), 429, 'TOO_MANY_REQUESTS');
});

test('$usage tells what a partition holds and may hold, also before its first write', async (t) => {
  const { acme } = await openLimited(t, { acme: { resources: 5, bytes: 10_000 } });
  t.deepEqual(await usageOf(acme), {
    name: 'acme',
    resources: 0,
    resourcesLimit: 5,
    bytes: 0,
    bytesLimit: 10_000,
    jobs: 0,
  });
  await acme.put('Patient/a', patientOf('a'));
  t.like(await usageOf(acme), { resources: 1 });
  assertError(t, await acme.get('$usage?partition=beta'), 400, 'INVALID_REQUEST');
});

test('who may read a part of the partition learns nothing of the whole', async (t) => {
  const { acme } = await openLimited(t, { acme: { resources: 1 } }, { interceptors: [believing] });
  const some = as(acme, 'system/Patient.cruds');
  const stored = await some.put('Patient/a', patientOf('a'));
  t.is(stored.status, 201, stored.text);
  t.is(stored.headers.get('quota-limit'), null);
  const refused = await some.put('Patient/b', patientOf('b'));
  assertError(t, refused, 429, 'QUOTA_EXCEEDED');
  t.is(refused.headers.get('quota-limit'), null);
  t.notRegex(refused.text, /holds/);
  assertError(t, await some.get('$usage'), 403, 'FORBIDDEN');
  t.like(await usageOf(as(acme, 'system/*.rs')), { resources: 1 });
});

test('of every partition those are told who manage the server', async (t) => {
  const { server } = await openLimited(t, {}, { interceptors: [believing] });
  const all = new FhirClient(server.url).tenant('_ALL');
  assertError(t, await as(all, 'system/*.rs').get('$usage'), 403, 'FORBIDDEN');
  const { status, text } = await as(all, 'system/*.rs', { admin: true }).get('$usage');
  t.is(status, 200, text);
  for (const name of ['DEFAULT', 'acme', 'beta']) t.regex(text, new RegExp(`"${name}"`));
});
