import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import * as customPlugin from '../../examples/custom-plugin.js';
import * as geographicSharding from '../../examples/geographic-sharding.js';
import * as byHeader from '../../examples/multitenancy-by-header.js';
import * as byToken from '../../examples/multitenancy-by-token.js';
import * as byUrl from '../../examples/multitenancy-by-url.js';
import * as byPatient from '../../examples/partition-by-patient.js';
import * as readOnlyTenant from '../../examples/read-only-tenant.js';
import * as retentionByDate from '../../examples/retention-by-date.js';
import * as segmentsBySource from '../../examples/segments-by-source.js';
import * as onFirstWrite from '../../examples/tenants-on-first-write.js';
import type { RunningExample } from '../../examples/run-example.js';
import type { Settings } from '../../src/index.js';
import { PATIENT, idsOf, send } from '../interceptors/fixtures.js';

const SHARED = new Set(['run-example.ts', 'local-issuer.ts']);
const OBSERVATION = { resourceType: 'Observation', status: 'final', code: { text: 'weight' } };

type Running<Example extends RunningExample> = Example & {
  fetch(path: string, init?: RequestInit): Promise<Response>;
};

/** Starts an example on a free port; it ends with the test. */
async function started<Example extends RunningExample>(
  t: ExecutionContext,
  { start }: { readonly start: (changes: Partial<Settings>) => Promise<Example> },
): Promise<Running<Example>> {
  const example = await start({ port: 0, logLevel: 'silent' });
  t.teardown(() => example.stop());
  return { ...example, fetch: (path, init) => fetch(`${example.url}/${path}`, init) };
}

test('multitenancy-by-url: each tenant sees its own', async (t) => {
  const server = await started(t, byUrl);
  const { body } = await send(server, 'acme/Patient', { body: PATIENT });
  t.deepEqual(idsOf(await send(server, 'acme/Patient')), [String(body['id'])]);
  t.deepEqual(idsOf(await send(server, 'beta/Patient')), []);
});

test('multitenancy-by-header: each tenant sees its own, by name and by id', async (t) => {
  const server = await started(t, byHeader);
  const search = async (headers: Record<string, string>) => idsOf(await send(server, 'Patient', { headers }));
  const { body } = await send(server, 'Patient', { body: PATIENT, headers: { 'X-Tenant-ID': 'acme' } });
  t.deepEqual(await search({ 'X-Tenant-ID': 'acme' }), [String(body['id'])]);
  t.deepEqual(await search({ 'X-Request-Partition-IDs': '1,2' }), [String(body['id'])]);
  t.deepEqual(await search({ 'X-Tenant-ID': 'beta' }), []);
});

test('multitenancy-by-token: each token sees its tenant, and nobody gets in without', async (t) => {
  const server = await started(t, byToken);
  const as = (tenant: 'acme' | 'beta') => ({ headers: { authorization: `Bearer ${server.tokens[tenant]}` } });
  const { body } = await send(server, 'Patient', { body: PATIENT, ...as('acme') });
  t.deepEqual(idsOf(await send(server, 'Patient', as('acme'))), [String(body['id'])]);
  t.deepEqual(idsOf(await send(server, 'Patient', as('beta'))), []);
  t.is((await send(server, 'beta/Patient', as('acme'))).status, 403);
  t.is((await send(server, 'Patient')).status, 401);
});

test('segments-by-source: stored apart, read together, and references cross', async (t) => {
  const server = await started(t, segmentsBySource);
  t.is((await send(server, 'Patient/ann', { method: 'PUT', body: { ...PATIENT, id: 'ann' } })).status, 201);
  const own = { ...OBSERVATION, subject: { reference: 'Patient/ann' } };
  const made = [
    await send(server, 'Observation', { body: own }),
    await send(server, 'Observation', { body: { ...own, meta: { source: segmentsBySource.LABORATORY } } }),
  ];
  t.deepEqual(
    made.map(({ status }) => status),
    [201, 201],
  );
  const found = idsOf(await send(server, 'Observation?patient=ann'));
  t.deepEqual(found, made.map(({ body }) => String(body['id'])).toSorted());
});

test('geographic-sharding: a gateway sees its region, and without one everything is found', async (t) => {
  const server = await started(t, geographicSharding);
  const german = await send(server, 'Patient', {
    body: patientIn('DE'),
    headers: { 'x-region': 'americas' },
  });
  const brazilian = await send(server, 'Patient', { body: patientIn('BR') });
  const search = async (region?: string) =>
    idsOf(await send(server, 'Patient', region === undefined ? {} : { headers: { 'x-region': region } }));
  t.deepEqual(await search('europe'), [String(german.body['id'])]);
  t.deepEqual(await search('americas'), [String(brazilian.body['id'])]);
  t.is((await search()).length, 2);
  t.is((await send(server, 'Patient', { headers: { 'x-region': 'Europe' } })).status, 400);
  t.is((await send(server, 'Patient', { body: PATIENT })).status, 400);
});

test('partition-by-patient: what belongs to a patient is found by the patient', async (t) => {
  const server = await started(t, byPatient);
  t.is(
    (
      await send(server, 'Practitioner/kim', {
        method: 'PUT',
        body: { resourceType: 'Practitioner', id: 'kim' },
      })
    ).status,
    201,
  );
  t.is((await send(server, 'Patient/ann', { method: 'PUT', body: { ...PATIENT, id: 'ann' } })).status, 201);
  const body = {
    ...OBSERVATION,
    subject: { reference: 'Patient/ann' },
    performer: [{ reference: 'Practitioner/kim' }],
  };
  const made = await send(server, 'Observation', { body });
  t.is(made.status, 201);
  const found = idsOf(await send(server, 'Observation?patient=ann&_include=Observation:performer'));
  t.deepEqual(found, [String(made.body['id']), 'kim'].toSorted());
  t.deepEqual(idsOf(await send(server, 'Observation?patient=bob')), []);
});

test('retention-by-date: the date of an Observation is the one it was made on', async (t) => {
  const server = await started(t, retentionByDate);
  const resource = { ...OBSERVATION, effectiveDateTime: '2024-05-03T10:00:00Z' };
  t.is((await send(server, 'acme/Observation', { body: resource })).status, 201);
  const parameter = [
    { name: 'method', valueCode: 'POST' },
    { name: 'url', valueUri: 'Observation' },
    { name: 'tenant', valueString: 'acme' },
    { name: 'resource', resource },
  ];
  const explained = await send(server, '$partition-explain', {
    body: { resourceType: 'Parameters', parameter },
  });
  const answered = explained.body['parameter'] as readonly {
    readonly name: string;
    readonly valueDate?: string;
  }[];
  t.is(answered.find(({ name }) => name === 'date')?.valueDate, '2024-05-03');
});

test('read-only-tenant: the archive can be read and not changed', async (t) => {
  const server = await started(t, readOnlyTenant);
  t.is((await send(server, 'acme/Patient', { body: PATIENT })).status, 201);
  t.is((await send(server, 'archive/Patient', { body: PATIENT })).status, 403);
  t.is((await send(server, 'archive/Patient/1', { method: 'DELETE' })).status, 403);
  t.is((await send(server, 'archive/Patient')).status, 200);
});

test('tenants-on-first-write: a tenant comes to be, if its name is foreseen', async (t) => {
  const server = await started(t, onFirstWrite);
  t.is((await send(server, 'clinic-7/Patient')).status, 404);
  t.is((await send(server, 'clinic-7/Patient', { body: PATIENT })).status, 201);
  t.is(idsOf(await send(server, 'clinic-7/Patient')).length, 1);
  t.is((await send(server, 'clinik-7/Patient', { body: PATIENT })).status, 404);
});

test('custom-plugin: the quota of a trial tenant is asked and kept, and nobody else has one', async (t) => {
  const server = await started(t, customPlugin);
  const create = async (tenant: string) =>
    (await send(server, `${tenant}/Patient`, { body: PATIENT })).status;
  t.deepEqual(
    [await create('trial-beta'), await create('trial-beta'), await create('trial-beta')],
    [201, 201, 400],
  );
  t.is(idsOf(await send(server, 'trial-beta/Patient')).length, 2);
  for (let count = 0; count < 3; count++) t.is(await create('acme'), 201);
});

test('every example is listed in its README and asserted here', async (t) => {
  const files = (await readdir('examples')).filter((file) => file.endsWith('.ts') && !SHARED.has(file));
  const readme = await readFile('examples/README.md', 'utf8');
  const asserted = await readFile('test/examples/examples.test.ts', 'utf8');
  for (const name of files.map((file) => file.replace('.ts', ''))) {
    t.true(readme.includes(`[${name}](${name}.ts)`), `${name} in the README`);
    t.true(asserted.includes(`test('${name}: `), `${name} has a test`);
  }
});

function patientIn(country: string): object {
  return { ...PATIENT, address: [{ country }] };
}
