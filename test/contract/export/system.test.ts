import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { assertError } from '../support/fhir-client.js';
import {
  ASYNC,
  exported,
  kickOff,
  locationOf,
  observationOf,
  openExportServer,
  patientOf,
  store,
} from './fixtures.js';

const { server, root, acme, beta } = await openExportServer();
test.before(async () => {
  await store(acme, patientOf('a', { gender: 'female' }), patientOf('b'), observationOf('o', 'a'));
  await store(beta, patientOf('a', { gender: 'male' }), patientOf('c'));
  await store(acme, patientOf('gone'));
  await acme.delete('Patient/gone');
});
test.after.always(() => server.stop());

test('an export of the system has everything of its tenant as it is stored, and nothing else', async (t) => {
  const { output, resources, manifest, deleted, errors } = await exported(acme, '$export');
  t.deepEqual(output, ['Observation/o', 'Patient/a', 'Patient/b']);
  t.deepEqual([deleted, errors], [[], []]);
  const patient = resources.find(({ id }) => id === 'a');
  t.deepEqual(patient, (await acme.get<object>('Patient/a')).body as typeof patient);
  t.is(manifest.request, `${acme.base}/$export`);
  t.false(manifest.requiresAccessToken);
  t.true(Math.abs(Date.parse(manifest.transactionTime) - Date.now()) < 60_000);
  t.true(manifest.output.every(({ url }) => url.startsWith(`${acme.base}/$export-file/`)));
  t.deepEqual((await exported(beta, '$export')).output, ['Patient/a', 'Patient/c']);
});

test("R4's own search parameters are part of DEFAULT for its exports, whether or not somebody has asked for one", async (t) => {
  const fresh = await openExportServer();
  t.teardown(() => fresh.server.stop());
  const all = fresh.root.tenant('DEFAULT');
  const patients = await exported(all, '$export?_type=Patient');
  t.deepEqual(patients.output, []);
  const { output } = await exported(all, '$export');
  t.true(output.includes('SearchParameter/individual-gender'));
  const { total = 0 } = (await all.get<Bundle>('SearchParameter?_summary=count')).body;
  t.is(output.filter((one) => one.startsWith('SearchParameter/')).length, total);
  const since = encodeURIComponent(patients.manifest.transactionTime);
  const changed = await exported(all, `$export?_since=${since}&_type=SearchParameter`);
  t.is(changed.output.length, total);
});

test('the kick-off answers 202 with an absolute URL, and what is at it ends with the job', async (t) => {
  const answer = await kickOff(acme, '$export');
  t.is(answer.status, 202);
  const location = locationOf(answer);
  t.true(location.startsWith(`${acme.base}/$export-poll-status?_jobId=`));
  t.is(answer.body.resourceType, 'OperationOutcome');
  t.is((await acme.delete(location)).status, 202);
  assertError(t, await acme.get(location), 404, 'NOT_FOUND');
  assertError(t, await acme.delete(location), 404, 'NOT_FOUND');
});

test('a complete export is gone with its files once it is deleted', async (t) => {
  const { location, manifest } = await exported(acme, '$export?_type=Patient');
  const [file] = manifest.output;
  t.is((await acme.get(file!.url)).status, 200);
  t.is((await acme.delete(location)).status, 202);
  assertError(t, await acme.get(location), 404, 'NOT_FOUND');
  assertError(t, await acme.get(file!.url), 404, 'NOT_FOUND');
});

test('Prefer: respond-async is needed', async (t) => {
  assertError(t, await acme.get('$export'), 400, 'INVALID_REQUEST');
  assertError(t, await acme.get('$export', { prefer: 'handling=lenient' }), 400, 'INVALID_REQUEST');
  t.is((await acme.get('$export', { prefer: 'handling=lenient, respond-async' })).status, 202);
});

test('an export reads one partition', async (t) => {
  assertError(t, await root.tenant('_ALL').get('$export', ASYNC), 400, 'INVALID_REQUEST');
  t.is((await root.tenant('DEFAULT').get('$export', ASYNC)).status, 202);
});
