import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { schemaOf } from '../../src/storage/sql/sqlite/schema.js';
import { migrateFile } from '../../src/storage/sql/sqlite/migrate-file.js';
import { readProjectFile } from './project.js';

test('the migrations make the schema that is committed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-schema-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'schema.db');
  await migrateFile(file);
  t.is(schemaOf(file), readProjectFile('migrations/schema.sql'), 'run npm run schema:dump');
});

test('a schema that is up to date is left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-schema-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'schema.db');
  t.true((await migrateFile(file)).length > 0);
  const before = schemaOf(file);
  t.deepEqual(await migrateFile(file), []);
  t.is(schemaOf(file), before);
});
