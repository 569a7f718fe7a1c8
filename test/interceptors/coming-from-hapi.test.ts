// Claims of docs/coming-from-hapi.md that no other test of the interceptors makes.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { TestServer } from '../support/test-server.js';
import { PATIENT, anIssuer, idsOf, send, serve } from './fixtures.js';
import type { Answer } from './fixtures.js';

const TWO = { partitions: ['acme', 'beta'] };

test('Patient/1 may exist in two partitions, each with its own content and history', async (t) => {
  const server = await serve(t, TWO);
  for (const tenant of ['acme', 'beta']) {
    const body = {
      ...PATIENT,
      id: '1',
      identifier: [{ system: 'urn:mrn', value: '7' }],
      name: [{ family: tenant }],
    };
    t.is((await send(server, `${tenant}/Patient/1`, { method: 'PUT', body })).status, 201);
  }
  t.is((await send(server, 'acme/Patient/1', { method: 'DELETE' })).status, 204);
  t.is((await send(server, 'acme/Patient/1')).status, 410);
  const other = await send(server, 'beta/Patient/1');
  t.deepEqual(other.body['name'], [{ family: 'beta' }]);
  t.is((await send(server, 'beta/Patient/1/_history')).body['total'], 1);
  t.deepEqual(idsOf(await send(server, 'acme/Patient?identifier=urn:mrn|7')), []);
  t.deepEqual(idsOf(await send(server, 'beta/Patient?identifier=urn:mrn|7')), ['1']);
});

test('a page link under another tenant is 404', async (t) => {
  const server = await serve(t, TWO);
  for (let count = 0; count < 3; count++) await send(server, 'acme/Patient', { body: PATIENT });
  const { body } = await send(server, 'acme/Patient?_count=1');
  const links = body['link'] as readonly { readonly relation: string; readonly url: string }[];
  const next = links.find(({ relation }) => relation === 'next')?.url.replace(`${server.url}/`, '') ?? '';
  t.is((await send(server, next)).status, 200);
  t.is((await send(server, next.replace('acme', 'beta'))).status, 404);
  t.is((await send(server, next.replace('acme', '_ALL'))).status, 404);
});

test('history over all partitions is one list, newest first', async (t) => {
  const server = await serve(t, TWO);
  const made: string[] = [];
  for (const tenant of ['acme', 'beta', 'acme']) {
    made.unshift(String((await send(server, `${tenant}/Patient`, { body: PATIENT })).body['id']));
  }
  const { body } = await send(server, '_ALL/Patient/_history');
  const entries = body['entry'] as readonly { readonly resource: { readonly id: string } }[];
  t.deepEqual(
    entries.map(({ resource }) => resource.id),
    made,
  );
});

test('a reference into another partition is worded as one to nothing', async (t) => {
  const server = await serve(t, TWO);
  await send(server, 'beta/Patient/ann', { method: 'PUT', body: { ...PATIENT, id: 'ann' } });
  const refer = (reference: string): Promise<Answer> =>
    send(server, 'acme/Observation', {
      body: { resourceType: 'Observation', status: 'final', code: { text: 'w' }, subject: { reference } },
    });
  const [foreign, missing] = [await refer('Patient/ann'), await refer('Patient/bob')];
  t.is(foreign.code, 'REFERENCE_NOT_FOUND');
  t.is(JSON.stringify(foreign.body).replaceAll('ann', 'bob'), JSON.stringify(missing.body));
});

test('identical conditional creates at once make one resource in each partition', async (t) => {
  const server = await serve(t, TWO);
  const headers = { 'if-none-exist': 'identifier=urn:mrn|7' };
  const body = { ...PATIENT, identifier: [{ system: 'urn:mrn', value: '7' }] };
  const tenants = Array.from({ length: 32 }, (_, index) => (index % 2 === 0 ? 'acme' : 'beta'));
  await Promise.all(tenants.map((tenant) => send(server, `${tenant}/Patient`, { body, headers })));
  for (const tenant of TWO.partitions) t.is(idsOf(await send(server, `${tenant}/Patient`)).length, 1);
});

test('partitions are managed on the server or under DEFAULT', async (t) => {
  const server = await serve(t, TWO);
  t.is((await manage(server, 'create', { name: 'gamma' })).status, 200);
  t.is((await manage(server, 'create', { name: 'delta' }, { tenant: 'DEFAULT/' })).status, 200);
  t.is((await manage(server, 'create', { name: 'omega' }, { tenant: 'acme/' })).status, 400);
  t.is((await manage(server, 'create', { name: 'gamma' })).status, 409);
  t.is((await manage(server, 'create', { name: 'Gamma' })).status, 400);
  t.is((await manage(server, 'create', { name: 'Patient' })).status, 400);
  t.is((await manage(server, 'delete', { id: 99 })).status, 404);
  t.is((await manage(server, 'delete', { id: 0 })).status, 400);
  t.is((await manage(server, 'read', { name: 'gamma' })).status, 200);
  await send(server, 'gamma/Patient', { body: PATIENT });
  t.is((await manage(server, 'delete', { id: 3 })).status, 409);
});

test('whoever a header keeps to a tenant does not manage the others', async (t) => {
  const server = await serve(t, { ...TWO, settings: { partitioning: ['header'] } });
  const headers = { 'X-Tenant-ID': 'acme' };
  t.is((await manage(server, 'create', { name: 'gamma' }, { headers })).code, 'INVALID_PARTITION');
  t.is((await manage(server, 'delete', { id: 2 }, { headers })).code, 'INVALID_PARTITION');
  t.is((await manage(server, 'list', {}, { headers })).code, 'INVALID_PARTITION');
  t.is(
    (await send(server, '$partition-explain', { body: explanation(), headers })).code,
    'INVALID_PARTITION',
  );
  t.is((await manage(server, 'create', { name: 'gamma' })).status, 200);
});

test('whoever a token keeps to a tenant does not manage the others', async (t) => {
  const issuer = await anIssuer(t);
  const { jwksUrl: tokenJwksUrl, issuer: tokenIssuer, audience: tokenAudience } = issuer;
  const settings = { partitioning: ['token'] as const, tokenJwksUrl, tokenIssuer, tokenAudience };
  const server = await serve(t, { ...TWO, settings });
  const as = async (tenant: string) => ({
    headers: { authorization: `Bearer ${await issuer.token({ tenant_id: tenant })}` },
  });
  t.is((await manage(server, 'create', { name: 'gamma' })).status, 401);
  t.is((await manage(server, 'create', { name: 'gamma' }, await as('acme'))).code, 'INVALID_PARTITION');
  t.is((await manage(server, 'create', { name: 'gamma' }, await as('_ALL'))).status, 200);
});

test('where partitions are unnamed, they are not managed, and any integer is one', async (t) => {
  const server = await serve(t, { settings: { unnamedPartitions: true } });
  t.is((await manage(server, 'list', {})).status, 405);
  t.is((await send(server, '42/Patient', { body: PATIENT })).status, 201);
  t.is(idsOf(await send(server, '42/Patient')).length, 1);
  t.is(idsOf(await send(server, '43/Patient')).length, 0);
});

test('nobody answering is 500, and names the pointcut', async (t: ExecutionContext) => {
  const server = await serve(t, { ...TWO, settings: { partitioning: ['interceptors'] } });
  const { status, code, body } = await send(server, 'Patient');
  t.deepEqual([status, code], [500, 'PARTITION_NOT_DECIDED']);
  t.regex(JSON.stringify(body), /STORAGE_PARTITION_IDENTIFY_READ/);
});

interface Where {
  readonly tenant?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function manage(
  server: TestServer,
  operation: string,
  values: Readonly<Record<string, string | number>>,
  { tenant = '', headers = {} }: Where = {},
): Promise<Answer> {
  const suffix = operation === 'list' ? 'partitions' : 'partition';
  const parameter = Object.entries(values).map(([name, value]) =>
    typeof value === 'number' ? { name, valueInteger: value } : { name, valueCode: value },
  );
  const body = { resourceType: 'Parameters', parameter };
  return send(server, `${tenant}$partition-management-${operation}-${suffix}`, { body, headers });
}

function explanation(): object {
  return { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: 'Patient' }] };
}
