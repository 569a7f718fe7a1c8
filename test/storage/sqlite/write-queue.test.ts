import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { FhirError } from '../../../src/model/errors.js';
import { openWriter, type SqliteDatabase } from '../../../src/storage/sql/sqlite/open.js';
import { SqliteDictionary } from '../../../src/storage/sql/sqlite/sqlite-dictionary.js';
import { migrateFile } from '../../../src/storage/sql/sqlite/sqlite-storage.js';
import { UnitWriter } from '../../../src/storage/sql/sqlite/unit-writer.js';
import { type WaitLimits, WriteQueue } from '../../../src/storage/sql/sqlite/write-queue.js';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-queue-'));
test.after.always(() => rmSync(folder, { recursive: true }));

async function openFile(name: string): Promise<string> {
  const file = join(folder, name);
  await migrateFile(file);
  return file;
}

function openQueue(
  file: string,
  limits: WaitLimits,
): { readonly db: SqliteDatabase; readonly dictionary: SqliteDictionary; readonly queue: WriteQueue } {
  const db = openWriter(file, 'normal');
  db.pragma('busy_timeout = 1');
  const dictionary = new SqliteDictionary(db);
  const writer = new UnitWriter(db, dictionary, { references: 'same', resourceIds: 'partition' });
  return { db, dictionary, queue: new WriteQueue(db, { writer, dictionary }, limits) };
}

test('hooks that never end lose their own unit, and nobody else is held up for ever', async (t) => {
  const { queue } = openQueue(await openFile('hooks.db'), { lock: 1_000, hooks: 50 });
  const endless = queue.write({ changes: [], beforeCommit: () => new Promise<void>(() => undefined) });
  const deadlocked = queue.write({ changes: [], beforeCommit: () => queue.write({ changes: [] }) });
  const neighbour = queue.write({ changes: [] });
  await t.throwsAsync(endless, { message: /longer than 50 ms/ });
  await t.throwsAsync(deadlocked, { message: /must not wait for a write/ });
  await t.notThrowsAsync(neighbour);
  await t.notThrowsAsync(queue.close());
});

test('while another process writes, the event loop goes on, and after a time the write is refused', async (t) => {
  const file = await openFile('lock.db');
  const other = openWriter(file, 'normal');
  const { queue } = openQueue(file, { lock: 200, hooks: 1_000 });
  other.exec('begin immediate');
  let turns = 0;
  const ticker = setInterval(() => turns++, 5);
  const error = await t.throwsAsync(queue.write({ changes: [] }), { instanceOf: FhirError });
  clearInterval(ticker);
  t.is((error as FhirError).code, 'BUSY');
  t.true(turns > 10, `${turns} turns`);
  const waiting = queue.write({ changes: [] });
  await pause(20);
  other.exec('commit');
  await t.notThrowsAsync(waiting);
});

test('names that were not committed are not remembered', async (t) => {
  const { db, dictionary } = openQueue(await openFile('names.db'), { lock: 200, hooks: 200 });
  db.exec('begin immediate');
  const lost = dictionary.ensureType('Patient');
  t.true(dictionary.takeGrown());
  t.false(dictionary.takeGrown());
  db.exec('rollback');
  dictionary.forget();
  t.is(dictionary.typeId('Patient'), undefined);
  t.is(dictionary.ensureType('Observation'), lost);
});
