import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { defineInterceptor } from '../../src/index.js';
import { plannedAttacks } from '../../src/testing.js';
import { startIssuer } from '../contract/auth/issuer.js';
import { createTestServer } from '../support/test-server.js';
import { countAt, createWorkplace } from './fixtures.js';

const wide = defineInterceptor({
  name: 'wide',
  order: -1_000,
  hooks: {
    STORAGE_PARTITION_IDENTIFY_READ: ({ request }) => (request.path === '$meta' ? { by: 'all' } : undefined),
  },
});

test('verify-isolation prints a table of what held, and ends with 0', async (t) => {
  const { run, serve } = await createWorkplace(t);
  for (const name of ['acme', 'beta']) await run('partition', 'create', name);
  const url = await serve();
  const { exit, out, err } = await run('verify-isolation', '--partitions', 'acme,beta', '--url', url);
  t.is(exit, 0, err);
  t.regex(out, /^NUMBER +ATTACK +ASKED +EXPECTED +SEEN +VERDICT\n/);
  t.regex(out, /\n1 +a read +GET Patient\/<theirs> +as for an id that nobody has +404, as for .* held\n/);
  t.regex(out, /\n\d+ held, 0 leaked, \d+ not applicable$/);
  t.regex(err, /has the tag urn:bulkhead:verify-isolation\|[0-9a-f]{12}, and is taken away/);
  t.is(await countAt(`${url}/acme/Patient`), 0);
});

test('a leak is told with the partitions that it is between, and ends with 1', async (t) => {
  const server = await createTestServer({ partitions: ['acme', 'beta'], interceptors: [wide] });
  t.teardown(() => server.stop());
  const { run } = await createWorkplace(t);
  const words = ['verify-isolation', '--partitions', 'acme, beta', '--url', server.url];
  const { exit, out } = await run(...words, '--only', 'a read', '--only', 'the labels in use');
  t.is(exit, 1);
  t.regex(out, /\n47 +the labels in use +GET \$meta .* acme on beta: 200 with content of beta +LEAK\n/);
  t.regex(out, /\n2 held, 2 leaked, 0 not applicable$/);
});

test('a server that gives all ids itself cannot be tried, and it is said what can', async (t) => {
  const server = await createTestServer({ partitions: ['acme', 'beta'], settings: { clientIds: 'none' } });
  t.teardown(() => server.stop());
  const { run } = await createWorkplace(t);
  const { exit, err } = await run('verify-isolation', '--partitions', 'acme,beta', '--url', server.url);
  t.is(exit, 2);
  t.regex(err, /405 Clients cannot choose ids .*same settings and interceptors, but with clientIds any/);
  t.is(await countAt(`${server.url}/acme/Patient`), 0);
});

test('a dry run lists the attacks without a server', async (t) => {
  const { run } = await createWorkplace(t);
  const { exit, out } = await run('verify-isolation', '--partitions', 'acme,beta', '--dry-run');
  t.is(exit, 0);
  t.is(out.split('\n').length, plannedAttacks().length + 2);
  t.regex(out, /Nothing was sent\.$/);
  const misspelt = await run(
    'verify-isolation',
    '--partitions',
    'acme,beta',
    '--only',
    'a reed',
    '--dry-run',
  );
  t.is(misspelt.exit, 2);
  t.regex(misspelt.err, /no attack "a reed"\. Did you mean "a read"\?/);
});

test('a module starts the server that is attacked, and stops it', async (t) => {
  const { run, folder } = await createWorkplace(t);
  const testing = new URL('../../src/testing.js', import.meta.url).href;
  const start = `import { createTestServer } from ${JSON.stringify(testing)};
    export async function start() {
      const server = await createTestServer({ partitions: ['acme', 'beta'] });
      return { url: server.url, stop: () => server.stop() };
    }`;
  await writeFile(join(folder, 'app.mjs'), start);
  await writeFile(join(folder, 'empty.mjs'), 'export const start = () => 7;');
  const words = ['verify-isolation', '--partitions', 'acme,beta', '--only', 'a read', '--module'];
  const { exit, out, err } = await run(...words, 'app.mjs');
  t.is(exit, 0, err);
  t.regex(out, / 0 leaked/);
  for (const [file, reason] of [
    ['empty.mjs', /answers no \{ url, stop \}/],
    ['none.mjs', /cannot be loaded/],
  ] as const) {
    const refused = await run(...words, file);
    t.is(refused.exit, 2);
    t.regex(refused.err, reason);
  }
});

test('tokens are read from files, and only both together', async (t) => {
  const issuer = await startIssuer(t);
  const server = await createTestServer({ partitions: ['acme', 'beta'], settings: issuer.settings });
  t.teardown(() => server.stop());
  const { run, folder } = await createWorkplace(t);
  for (const tenant of ['acme', 'beta']) {
    await writeFile(join(folder, tenant), `${await issuer.token({ tenant_id: tenant })}\n`);
  }
  const only = "the own token under the other one's URL";
  const words = ['verify-isolation', '--partitions', 'acme,beta', '--url', server.url, '--only', only];
  const { exit, out, err } = await run(...words, '--token-file', 'acme', '--token-file', 'beta');
  t.is(exit, 0, err);
  t.regex(out, /\n13 +the own token under the other one's URL .* held\n/);
  t.regex((await run(...words, '--token-a', 'x')).err, /Two tokens are needed/);
  t.regex((await run(...words)).err, /cannot be used: 401/);
});

test('what cannot be tried ends with 2', async (t) => {
  const { run } = await createWorkplace(t);
  for (const [partitions, url, reason] of [
    ['acme', 'http://127.0.0.1:1/fhir', /two names are needed/],
    ['acme,beta', 'http://127.0.0.1:1/fhir', /gave no answer/],
    ['acme,beta', 'here', /is not a URL/],
  ] as const) {
    const { exit, err } = await run('verify-isolation', '--partitions', partitions, '--url', url);
    t.is(exit, 2);
    t.regex(err, reason);
  }
});

test('a run that is stopped ends with 130, and takes away what it has written', async (t) => {
  const { run, runWith, serve } = await createWorkplace(t);
  for (const name of ['acme', 'beta']) await run('partition', 'create', name);
  const url = await serve();
  const stop = new AbortController();
  const complain = (): void => stop.abort();
  const { exit } = await runWith(
    { stopSignal: () => stop.signal, complain },
    'verify-isolation',
    '--partitions',
    'acme,beta',
    '--url',
    url,
  );
  t.is(exit, 130);
  for (const tenant of ['acme', 'beta']) t.is(await countAt(`${url}/${tenant}/Patient`), 0);
});
