import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMigratedFile } from './migrated-file.js';
import { storeSearchParameters } from './store-search-parameters.js';
import { templateOf } from './test-store.js';

/** Makes the files that those of tests on SQLite are copied from; they go with the process. Answers the empty one. */
export async function createTemplateFiles(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-template-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const empty = await createMigratedFile(folder);
  const other = templateOf(empty, 'search-parameters');
  copyFileSync(empty, other);
  await storeSearchParameters(`sqlite:${other}`);
  return empty;
}
