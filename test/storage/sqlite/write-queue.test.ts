import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { FhirError } from '../../../src/model/errors.js';
import { Allocator } from '../../../src/storage/sql/sqlite/allocator.js';
import { openWriter } from '../../../src/storage/sql/sqlite/open.js';
import { SqliteDictionary } from '../../../src/storage/sql/sqlite/sqlite-dictionary.js';
import { migrateFile } from '../../../src/storage/sql/sqlite/migrate-file.js';
import { UnitWriter } from '../../../src/storage/sql/sqlite/unit-writer.js';
import { type WaitLimits, WriteQueue } from '../../../src/storage/sql/sqlite/write-queue.js';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-queue-'));
test.after.always(() => rmSync(folder, { recursive: true }));

async function openFile(name: string): Promise<string> {
  const file = join(folder, name);
  await migrateFile(file);
  return file;
}

function openQueue(file: string, limits: WaitLimits): WriteQueue {
  const db = openWriter(file, 'normal');
  db.pragma('busy_timeout = 1');
  const dictionary = new SqliteDictionary(db);
  const writer = new UnitWriter(db, dictionary, { references: 'same', resourceIds: 'partition' });
  const allocator = new Allocator(dictionary, (work) => queue.inTurn(work));
  const queue: WriteQueue = new WriteQueue(db, { writer, dictionary, allocator }, limits);
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

test('while another process writes, the event loop goes on, and after a time the write is refused', async (t) => {
  const file = await openFile('lock.db');
  const other = openWriter(file, 'normal');
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
  const db = openWriter(await openFile('names.db'), 'normal');
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
    const db = openWriter(file, 'normal');
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
