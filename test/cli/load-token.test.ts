import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { startIssuer } from '../contract/auth/issuer.js';
import { createTestServer } from '../support/test-server.js';
import { createWorkplace } from './fixtures.js';

test('a server that asks who one is is loaded with a token from a file, and not without', async (t) => {
  const issuer = await startIssuer(t);
  const server = await createTestServer({ partitions: ['acme'], settings: issuer.settings });
  t.teardown(() => server.stop());
  const { run, folder } = await createWorkplace(t);
  await writeFile(join(folder, 'one.json'), '{"resourceType":"Patient","id":"p1"}');
  await writeFile(join(folder, 'token'), `${await issuer.token({ tenant_id: 'acme' })}\n`);
  const words = ['load', 'one.json', '--url', server.url, '--partition', 'acme'];
  const refused = await run(...words);
  t.is(refused.exit, 1);
  t.regex(refused.err, /LOGIN_REQUIRED/);
  const { exit, out, err } = await run(...words, '--token-file', 'token');
  t.is(exit, 0, err);
  t.regex(out, /1 created/);
});
