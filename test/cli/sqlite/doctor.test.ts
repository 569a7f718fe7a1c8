import test from 'ava';
import { createEmptyDatabase } from '../../support/test-database.js';
import { createWorkplace } from '../fixtures.js';

test('a healthy file passes every check', async (t) => {
  const { run } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  const { exit, out } = await run('doctor', '--port', '0');
  t.is(exit, 0);
  for (const name of ['writable', 'disk', 'database', 'journal', 'schema', 'partitions']) {
    t.regex(out, new RegExp(`^ok +${name} `, 'm'));
  }
  t.regex(out, /0 failed, 0 with a warning\.$/);
});

test('the doctor changes nothing: a database that is not there is not made', async (t) => {
  const { run } = await createWorkplace(t, createEmptyDatabase);
  const first = await run('doctor', '--port', '0');
  t.is(first.exit, 0);
  t.regex(first.out, /does not exist yet; the first start makes it/);
  t.regex((await run('doctor', '--port', '0')).out, /does not exist yet/);
});
