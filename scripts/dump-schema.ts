import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/fhir/definitions.js';
import { schemaOf } from '../src/storage/sql/sqlite/schema.js';
import { migrateFile } from '../src/storage/sql/sqlite/migrate-file.js';

/** Writes `migrations/schema.sql`, which a test compares with what the migrations make. */
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-schema-'));
const file = join(folder, 'schema.db');
await migrateFile(file);
writeFileSync(join(packageRoot(), 'migrations', 'schema.sql'), schemaOf(file));
rmSync(folder, { recursive: true });
