import test from 'ava';
import * as byHeader from '../../examples/multitenancy-by-header.js';
import * as byToken from '../../examples/multitenancy-by-token.js';
import * as byUrl from '../../examples/multitenancy-by-url.js';
import * as readOnlyTenant from '../../examples/read-only-tenant.js';
import * as onFirstWrite from '../../examples/tenants-on-first-write.js';
import * as customPlugin from '../../examples/custom-plugin.js';
import { PATIENT, idsOf, send } from '../interceptors/fixtures.js';
import { started } from './fixtures.js';

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
