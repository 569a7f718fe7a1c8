import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';

const HOUR_S = 3_600;

test('a draft of a home goes when a server starts, once its maker must be dead', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const base = database.url.replace('sqlite:', '').replace(/\.db$/, '');
  const [old, young] = [`${base}.pn3.db.17-0.new`, `${base}.p4.db.18-0.new`];
  for (const file of [old, young]) writeFileSync(file, '');
  const then = Date.now() / 1000 - HOUR_S;
  utimesSync(old, then, then);
  const server = await createTestServer({ database });
  await server.stop();
  t.false(existsSync(old));
  t.true(existsSync(young));
});
