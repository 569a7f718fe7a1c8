import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Checkpointer } from '../../../src/storage/sql/sqlite/checkpointer.js';
import { openWriter } from '../../../src/storage/sql/sqlite/open.js';

/** A log that is due to be copied. */
const LONG_LOG = 65 * 2 ** 20;

test('a log that cannot be copied is told once, and ends neither the server nor the copying of others', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-checkpointer-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const broken = join(folder, 'broken.db');
  await writeFile(broken, 'no database at all, however often it is tried');
  await writeFile(`${broken}-wal`, '');
  await truncate(`${broken}-wal`, LONG_LOG);
  const whole = join(folder, 'whole.db');
  const writer = openWriter(whole);
  writer.exec('create table T (N integer)');
  const warnings: string[] = [];
  const checkpointer = new Checkpointer((message) => warnings.push(message));
  t.teardown(() => checkpointer.close());
  checkpointer.watch(broken);
  checkpointer.watch(whole);
  while (warnings.length === 0) await pause(20);
  await pause(1_200);
  t.is(warnings.length, 1);
  t.regex(warnings[0]!, /^The write-ahead log of .*broken\.db cannot be copied: /);
  await checkpointer.retire(whole);
  await checkpointer.retire(broken);
  writer.close();
});
