import test from 'ava';
import { openGuarded } from './fixtures.js';
import { ADMIN } from './issuer.js';

const EVERYTHING = { tenant_id: '_ALL', scope: 'system/*.cruds' };
const MANAGER = { scope: `system/*.cruds ${ADMIN}` };

const PATHS = [
  '$partition-management-list-partitions',
  '$partition-management-read-partition?name=acme',
  '$partition-explain?url=Patient',
  '$search-explain?url=Patient',
  'Patient?_explain=true',
];

for (const path of PATHS) {
  test(`${path} is for those who manage the server`, async (t) => {
    const { as } = await openGuarded(t);
    const refused = await as(EVERYTHING, path);
    t.is(refused.status, 403);
    t.regex(refused.headers.get('www-authenticate') ?? '', /error="insufficient_scope".*bulkhead\.admin/);
    t.is((await as(MANAGER, path)).status, 200);
  });
}

test('partitions are created, and data is reindexed, by those who manage the server', async (t) => {
  const { as } = await openGuarded(t);
  const body = { resourceType: 'Parameters', parameter: [{ name: 'name', valueCode: 'gamma' }] };
  const create = '$partition-management-create-partition';
  t.is((await as(EVERYTHING, create, { body })).status, 403);
  t.is((await as(MANAGER, create, { body })).status, 200);
  t.is((await as(EVERYTHING, 'acme/$reindex', { method: 'POST' })).status, 403);
  t.is((await as(MANAGER, 'acme/$reindex', { method: 'POST' })).status, 403);
  t.is((await as({ ...MANAGER, tenant_id: 'acme' }, 'acme/$reindex', { method: 'POST' })).status, 202);
});

test('in a batch too', async (t) => {
  const { as } = await openGuarded(t);
  const entry = [{ request: { method: 'GET', url: '$partition-management-list-partitions' } }];
  const answer = await as(EVERYTHING, '', { body: { resourceType: 'Bundle', type: 'batch', entry } });
  t.is(answer.status, 200);
  t.regex(answer.text, /"status":"403/);
});

test('whoever manages the server has no tenant by that', async (t) => {
  const { as } = await openGuarded(t);
  t.is((await as(MANAGER, 'acme/Patient')).status, 403);
  t.is((await as(MANAGER, '_ALL/Patient')).status, 403);
});

test('metrics are for those who manage the server', async (t) => {
  const { server, issuer } = await openGuarded(t);
  const url = `${new URL(server.url).origin}/metrics`;
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(url, { headers })).status;
  const bearer = async (scope: string): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await issuer.token({ scope })}`,
  });
  t.is(await status({}), 401);
  t.is(await status(await bearer('system/*.cruds')), 403);
  t.is(await status(await bearer(ADMIN)), 200);
});
