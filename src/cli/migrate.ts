import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Settings } from '../settings/schema.js';
import { maskedUrl } from '../settings/describe.js';
import { CommandError } from './command-error.js';
import { databaseFile, isPostgresUrl } from './database-file.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/**
 * `bulkhead migrate`: brings the schema of the main database up to date, then that of every partition with a place of
 * its own, and says what was applied. It can be repeated: what is up to date takes no time.
 */
export async function migrateDatabase(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const { settings } = await settingsOf(terminal, flags);
  const { databaseUrl } = settings;
  if (isPostgresUrl(databaseUrl)) {
    const { migratePostgres } = await import('../storage/sql/postgres/schema-state.js');
    const native = settings.nativePartitions > 0;
    report(terminal, maskedUrl(databaseUrl), await migratePostgres(databaseUrl, { native }));
    return migrateFleet(terminal, settings);
  }
  const file = databaseFile(settings);
  if (file === undefined) {
    throw new CommandError('A database in memory is made and migrated anew at every start.');
  }
  const { migrateFile } = await import('../storage/sql/sqlite/migrate-file.js');
  await mkdir(dirname(file), { recursive: true });
  report(terminal, file, await migrateFile(file));
  return migrateFleet(terminal, settings);
}

async function migrateFleet(terminal: Terminal, settings: Settings): Promise<ExitCode> {
  const { toStorageOptions } = await import('../storage-options.js');
  const { openStorage } = await import('../storage/open-storage.js');
  const storage = await openStorage(toStorageOptions(settings, Date.now));
  let failed = 0;
  try {
    for await (const { name, placement, applied, error } of storage.migrateHomes()) {
      const state = applied.length === 0 ? 'is up to date' : `was migrated: ${applied.join(', ')}`;
      if (error === undefined) terminal.print(`${name} (${placement}) ${state}.`);
      else
        terminal.complain(
          `${name} (${placement}) failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      if (error !== undefined) failed++;
    }
  } finally {
    await storage.close();
  }
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

function report(terminal: Terminal, database: string, applied: readonly string[]): void {
  applied.forEach((name) => terminal.print(`applied ${name}`));
  terminal.print(applied.length === 0 ? `${database} is up to date.` : `${database} was migrated.`);
}
