import test from 'ava';
import { DEFAULT_PARTITION_ID, defineInterceptor, PRINCIPAL } from '../../../src/index.js';
import { rawExchange } from '../support/raw-exchange.js';
import { codeOf, comparable, openGuarded, PATIENT } from './fixtures.js';
import { ADMIN } from './issuer.js';

const ACME = { tenant_id: 'acme' };

test('attack 13: a token of one tenant is 403 on another, whether that exists or not', async (t) => {
  const { as } = await openGuarded(t, { settings: { partitioning: ['url', 'header'] } });
  const attempts = [
    (tenant: string) => as(ACME, `${tenant}/Patient`),
    (tenant: string) => as(ACME, `${tenant}/Patient/1`),
    (tenant: string) => as(ACME, `${tenant}/Patient/1/_history`),
    (tenant: string) => as(ACME, `${tenant}/ValueSet`),
    (tenant: string) => as(ACME, `${tenant}/metadata`),
    (tenant: string) => as(ACME, `${tenant}/$export`),
    (tenant: string) => as(ACME, `${tenant}/Patient`, { body: PATIENT }),
    (tenant: string) => as(ACME, `${tenant}/Patient/1`, { body: { ...PATIENT, id: '1' }, method: 'PUT' }),
    (tenant: string) => as(ACME, `${tenant}/Patient/1`, { method: 'DELETE' }),
    (tenant: string) => as(ACME, 'Patient', { headers: { 'X-Tenant-ID': tenant } }),
  ];
  for (const attempt of attempts) {
    const [known, unknown] = [await attempt('beta'), await attempt('none')];
    t.is(known.status, 403, known.text);
    t.is(codeOf(known), 'FORBIDDEN');
    t.deepEqual(comparable(known), comparable(unknown));
  }
  const ids = { 'X-Request-Partition-IDs': '2' };
  const noIds = { 'X-Request-Partition-IDs': '777' };
  const [known, unknown] = [
    await as(ACME, 'Patient', { headers: ids }),
    await as(ACME, 'Patient', { headers: noIds }),
  ];
  t.is(known.status, 403);
  t.deepEqual(comparable(known), comparable(unknown));
});

test('attack 13: a token of one tenant is 403 on several partitions, whatever is beside its own', async (t) => {
  const { as } = await openGuarded(t, { settings: { partitioning: ['url', 'header'] } });
  const others = [DEFAULT_PARTITION_ID, 2];
  for (const ids of ['1,2', '2,1', `${DEFAULT_PARTITION_ID},2`, `1,${others.join()}`])
    for (const path of ['Patient', 'Patient?name=x', 'ValueSet', 'Patient/1', 'Patient/1/_history']) {
      const headers = { 'X-Request-Partition-IDs': ids };
      t.is((await as(ACME, path, { headers })).status, 403, `${ids} ${path}`);
    }
  const both = { tenant_id: ['acme', 'beta'] };
  t.is((await as(both, 'Patient', { headers: { 'X-Request-Partition-IDs': '1,2' } })).status, 200);
});

test('attack 14: header, URL and claim that name different tenants are refused, and none of them wins', async (t) => {
  const { as } = await openGuarded(t, { settings: { partitioning: ['url', 'header', 'token'] } });
  const both = { tenant_id: ['acme', 'beta'] };
  const disagree = await as(both, 'acme/Patient', { headers: { 'X-Tenant-ID': 'beta' } });
  t.is(disagree.status, 400);
  t.is(codeOf(disagree), 'TENANT_MISMATCH');
  t.is((await as(ACME, 'acme/Patient', { headers: { 'X-Tenant-ID': 'beta' } })).status, 403);
  t.is((await as(ACME, 'beta/Patient', { headers: { 'X-Tenant-ID': 'beta' } })).status, 403);
  t.is((await as(ACME, 'acme/Patient', { headers: { 'X-Tenant-ID': 'acme' } })).status, 200);
});

test('attack 15: a header that names the tenant twice is 400', async (t) => {
  const { server, issuer } = await openGuarded(t, { settings: { partitioning: ['header'] } });
  const { pathname, host } = new URL(server.url);
  const head = [
    `GET ${pathname}/Patient HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${await issuer.token(ACME)}`,
    'X-Tenant-ID: acme',
    'X-Tenant-ID: beta',
    'Connection: close',
  ];
  t.is((await rawExchange(server.url, `${head.join('\r\n')}\r\n\r\n`)).status, 400);
});

test('attack 16: no way of writing a tenant turns into another one', async (t) => {
  const { server, issuer } = await openGuarded(t);
  const { pathname, host } = new URL(server.url);
  const authorization = `Authorization: Bearer ${await issuer.token({ tenant_id: 'beta' })}`;
  const written = [
    'BETA',
    'Beta',
    'be%74a%20',
    'beta.',
    'beta%00',
    'beta%2F',
    '%2e%2e/beta',
    'acme%2F..%2Fbeta',
    'acme/../beta',
    'b%C3%A9ta',
    'be%CC%81ta',
    'beta%0d%0a',
  ];
  for (const tenant of written) {
    const head = [
      `GET ${pathname}/${tenant}/Patient HTTP/1.1`,
      `Host: ${host}`,
      authorization,
      'Connection: close',
    ];
    const { status } = await rawExchange(server.url, `${head.join('\r\n')}\r\n\r\n`);
    t.true([400, 403, 404].includes(status), `${tenant}: ${status}`);
  }
});

test('attack 17: the header Host, and what proxies add, choose no tenant and no URL', async (t) => {
  const { server, issuer } = await openGuarded(t);
  const { pathname } = new URL(server.url);
  const authorization = `Authorization: Bearer ${await issuer.token(ACME)}`;
  for (const host of ['beta.example:x@acme.example', 'beta', 'beta.example']) {
    const head = [
      `GET ${pathname}/acme/Patient HTTP/1.1`,
      `Host: ${host}`,
      authorization,
      'X-Forwarded-Host: beta.example',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Prefix: /beta',
      'Forwarded: host=beta.example',
      'Connection: close',
    ];
    const answer = await rawExchange(server.url, `${head.join('\r\n')}\r\n\r\n`);
    if (answer.status === 400) continue;
    t.is(answer.status, 200, host);
    t.notRegex(answer.body, /beta/);
    t.true(answer.body.includes(`${server.url}/acme/Patient`));
  }
});

test('attack 18: without a tenant a token opens DEFAULT if it grants that, and never all', async (t) => {
  const { as } = await openGuarded(t);
  for (const path of ['Patient', '', 'Patient/1', '_history']) t.is((await as(ACME, path)).status, 403, path);
  t.is((await as({ tenant_id: ['acme', 'DEFAULT'] }, 'Patient')).status, 200);
  t.is((await as(ACME, '_ALL/Patient')).status, 403);
  t.is((await as({ tenant_id: ['acme', 'beta', 'DEFAULT'] }, '_ALL/Patient')).status, 403);
  t.is((await as({ tenant_id: '_ALL' }, '_ALL/Patient')).status, 200);
  t.is((await as({ tenant_id: '_ALL' }, 'beta/Patient')).status, 200);
  t.is((await as({ tenant_id: '_ALL' }, 'none/Patient')).status, 404);
});

test('attack 19: the token of a tenant that was deleted opens nothing', async (t) => {
  const { server, issuer, client } = await openGuarded(t);
  const headers = { authorization: `Bearer ${await issuer.token({ tenant_id: 'beta' })}` };
  t.is((await client.send('GET', 'beta/Patient', { headers })).status, 200);
  const beta = server.bulkhead.partitions.read({ name: 'beta' });
  await server.bulkhead.partitions.delete(beta.id);
  t.is((await client.send('GET', 'beta/Patient', { headers })).status, 403);
});

test('attack 20: no partition can have a name that means something else in a URL', async (t) => {
  const { as } = await openGuarded(t);
  const path = '$partition-management-create-partition';
  for (const valueCode of ['metadata', '$export', '_history', 'Patient', '_ALL', '_search', '.well-known']) {
    const body = { resourceType: 'Parameters', parameter: [{ name: 'name', valueCode }] };
    t.is((await as({ scope: ADMIN }, path, { body })).status, 400, valueCode);
  }
});

for (const claim of ['', 7, 'ac me', [], ['acme', 7], ['acme', '_ALL'], {}, null, true, ['beta']]) {
  test(`the claim ${JSON.stringify(claim)} does not open acme`, async (t) => {
    const { as } = await openGuarded(t);
    t.is((await as({ tenant_id: claim }, 'acme/Patient')).status, 403);
  });
}

test('everybody reads definitions, and whoever has no grant of DEFAULT changes none', async (t) => {
  const { as } = await openGuarded(t);
  const valueSet = { resourceType: 'ValueSet', id: 'v1', status: 'active', url: 'urn:v1' };
  const put = { method: 'PUT', body: valueSet };
  t.is((await as({ tenant_id: 'DEFAULT' }, 'ValueSet/v1', put)).status, 201);
  t.is((await as(ACME, 'acme/ValueSet/v1')).status, 200);
  t.is((await as(ACME, 'ValueSet/v1')).status, 200);
  t.is((await as(ACME, 'acme/ValueSet/v1', put)).status, 403);
  t.is((await as(ACME, 'acme/ValueSet', { body: valueSet })).status, 403);
  t.is((await as(ACME, 'acme/ValueSet/v1', { method: 'DELETE' })).status, 403);
  t.is((await as(ACME, 'ValueSet/v1', { method: 'DELETE' })).status, 403);
});

test('a tenant that nobody granted is not created by who writes to it first', async (t) => {
  const { as, server } = await openGuarded(t, { settings: { autoCreatePartitions: true } });
  t.is((await as(ACME, 'gamma/Patient', { body: PATIENT })).status, 403);
  t.false(server.bulkhead.partitions.list().some(({ name }) => name === 'gamma'));
  t.is((await as({ tenant_id: 'gamma' }, 'gamma/Patient', { body: PATIENT })).status, 201);
});

test('a request of which nobody knows any more who makes it opens nothing', async (t) => {
  const forget = defineInterceptor({
    name: 'forget',
    hooks: {
      SERVER_INCOMING_REQUEST_PRE_HANDLED: ({ request }) => void request.attributes.delete(PRINCIPAL),
    },
  });
  for (const partitioning of [['url'], ['off']] as const) {
    const { as } = await openGuarded(t, { interceptors: [forget], settings: { partitioning } });
    const base = partitioning[0] === 'url' ? 'acme/' : '';
    t.is((await as({ tenant_id: '_ALL' }, `${base}Patient`)).status, 403);
    t.is((await as({ tenant_id: '_ALL' }, `${base}ValueSet`)).status, 403);
    t.is((await as({ tenant_id: '_ALL' }, `${base}Patient`, { body: PATIENT })).status, 403);
  }
});

test('without partitions every token that is believed is for the one that there is', async (t) => {
  const { as, client } = await openGuarded(t, { settings: { partitioning: ['off'] } });
  t.is((await as({}, 'Patient', { body: PATIENT })).status, 201);
  t.is((await as({}, 'Patient')).status, 200);
  t.is((await client.send('GET', 'Patient')).status, 401);
  t.is((await client.send('GET', 'metadata')).status, 200);
});
