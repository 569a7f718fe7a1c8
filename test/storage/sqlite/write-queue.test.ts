import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { FhirError } from '../../../src/model/errors.js';
import { Allocator } from '../../../src/storage/sql/sqlite/allocator.js';
import { LogSync } from '../../../src/storage/sql/sqlite/log-sync.js';
import { openReader, openWriter } from '../../../src/storage/sql/sqlite/open.js';
import { SqliteDictionary } from '../../../src/storage/sql/sqlite/sqlite-dictionary.js';
import { migrateFile } from '../../../src/storage/sql/sqlite/migrate-file.js';
import { UnitWriter } from '../../../src/storage/sql/sqlite/unit-writer.js';
import {
  type WaitLimits,
  WriteQueue,
  type WriteQueueParts,
} from '../../../src/storage/sql/sqlite/write-queue.js';

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
  log: WriteQueueParts['log'] = new LogSync(file, 'full'),
): WriteQueue {
  const db = openWriter(file);
  db.pragma('busy_timeout = 1');
  const dictionary = new SqliteDictionary(db);
  const writer = new UnitWriter(db, dictionary, { references: 'same', resourceIds: 'partition' });
  const allocator = new Allocator(dictionary, (work) => queue.inTurn(work));
  const queue: WriteQueue = new WriteQueue(db, { writer, dictionary, allocator, log }, limits);
  return queue;
}

test('hooks that never end lose their own unit, and nobody else is held up for ever', async (t) => {
  const queue = openQueue(await openFile('hooks.db'), { lock: 1_000, hooks: 50 });
  const endless = queue.write({ changes: [], beforeCommit: () => new Promise<void>(() => undefined) });
  const deadlocked = queue.write({ changes: [], beforeCommit: () => queue.write({ changes: [] }) });
  const neighbour = queue.write({ changes: [] });
  await t.throwsAsync(endless, { message: /longer than 50 ms/ });
  await t.throwsAsync(deadlocked, { message: /must not wait for a write/ });
  await t.notThrowsAsync(neighbour);
  await t.notThrowsAsync(queue.close());
});

test('a write is acknowledged once its log is on disk, and the next one does not wait for that', async (t) => {
  const onDisk: (() => void)[] = [];
  const log = {
    reached: () => new Promise<void>((resolve) => onDisk.push(resolve)),
    assertWhole: () => undefined,
    close: async () => undefined,
  };
  const file = await openFile('log.db');
  const queue = openQueue(file, { lock: 1_000, hooks: 1_000 }, log);
  const acknowledged: string[] = [];
  const setting = (name: string): Promise<unknown> =>
    queue
      .transaction((db) => db.prepare('insert into HFJ_SETTING values (?, ?)').run(name, name))
      .then(() => acknowledged.push(name));
  const both = [setting('first'), setting('second')];
  while (onDisk.length < 2) await pause(1);
  t.deepEqual(acknowledged, []);
  const reader = openReader(file);
  t.is(
    reader.prepare(`select count(*) from HFJ_SETTING where SETTING_KEY in ('first', 'second')`).pluck().get(),
    2,
  );
  onDisk.forEach((resolve) => resolve());
  await Promise.all(both);
  t.deepEqual(acknowledged, ['first', 'second']);
  reader.close();
});

test('after the disk has failed once, writes are refused until somebody has looked after it', async (t) => {
  const file = await openFile('broken.db');
  const queue = openQueue(file, { lock: 1_000, hooks: 1_000 }, new LogSync(`${file}.nowhere`, 'full'));
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await t.throwsAsync(queue.write({ changes: [] }), { instanceOf: FhirError });
    t.is((error as FhirError).code, 'OUTCOME_UNKNOWN');
  }
  await t.notThrowsAsync(queue.close());
});

test('while another process writes, the event loop goes on, and after a time the write is refused', async (t) => {
  const file = await openFile('lock.db');
  const other = openWriter(file);
  const queue = openQueue(file, { lock: 200, hooks: 1_000 });
  other.exec('begin immediate');
  let turns = 0;
  const ticker = setInterval(() => turns++, 5);
  const error = await t.throwsAsync(queue.write({ changes: [] }), { instanceOf: FhirError });
  clearInterval(ticker);
  t.is((error as FhirError).code, 'BUSY');
  t.true(turns >= 3, `${turns} turns`);
  const waiting = queue.write({ changes: [] });
  await pause(20);
  other.exec('commit');
  await t.notThrowsAsync(waiting);
});

test('names of a transaction that fails are not remembered', async (t) => {
  const db = openWriter(await openFile('names.db'));
  const dictionary = new SqliteDictionary(db);
  const names = { types: new Set(['Patient']), paths: new Map(), systems: new Set(['urn:lost']) };
  db.exec('begin immediate');
  dictionary.insert(names);
  db.exec('rollback');
  t.is(dictionary.typeId('Patient'), undefined);
  t.is(dictionary.systemId('urn:lost'), undefined);
});

test('row ids come in blocks that no two processes share', async (t) => {
  const file = await openFile('ids.db');
  const allocators = ['a', 'b'].map(() => {
    const db = openWriter(file);
    return new Allocator(new SqliteDictionary(db), async (work) =>
      db.transaction(() => work(db)).immediate(),
    );
  });
  const taken: number[] = [];
  for (const count of [1, 2, 999, 1_500, 3]) {
    for (const allocator of allocators) {
      const first = await allocator.takeRowIds(count);
      for (let id = first; id < first + count; id++) taken.push(id);
    }
  }
  t.is(new Set(taken).size, taken.length);
  t.is(Math.min(...taken), 1);
});
