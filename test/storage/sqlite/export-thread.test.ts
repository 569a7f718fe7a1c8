import test from 'ava';
import { ExportThread } from '../../../src/storage/sql/sqlite/export-thread.js';
import { openWriter } from '../../../src/storage/sql/sqlite/open.js';
import { openMigratedFile } from '../../support/migrated-file.js';

const COUNT = 'select count(*) from HFJ_PARTITION';

test('what is seen in a snapshot is of the moment when it began, or nothing at all', async (t) => {
  const { db, remove } = await openMigratedFile();
  const thread = new ExportThread();
  t.teardown(async () => {
    await thread.close();
    remove();
  });
  const file = db.name;
  await t.throwsAsync(thread.seenRows(file, COUNT, []), { message: 'The snapshot has gone.' });
  await thread.run({ kind: 'begin', file });
  const writer = openWriter(file);
  writer.exec(`insert into HFJ_PARTITION (PART_ID, PART_NAME) values (1, 'acme')`);
  writer.close();
  t.deepEqual(await thread.seenRows(file, COUNT, []), [[0]]);
  await thread.close();
  await t.throwsAsync(thread.seenRows(file, COUNT, []), { message: 'The snapshot has gone.' });
  t.deepEqual(await thread.rows(file, COUNT, []), [[1]]);
});

test('a statement that fails fails alone', async (t) => {
  const { db, remove } = await openMigratedFile();
  const thread = new ExportThread();
  t.teardown(async () => {
    await thread.close();
    remove();
  });
  const failing = thread.rows(db.name, 'select 1 from NOWHERE', []);
  const working = thread.rows(db.name, COUNT, []);
  await t.throwsAsync(failing, { message: /NOWHERE/ });
  t.deepEqual(await working, [[0]]);
});
