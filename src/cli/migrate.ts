import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { maskedUrl } from '../settings/describe.js';
import { CommandError } from './command-error.js';
import { databaseFile, isPostgresUrl } from './database-file.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/** `bulkhead migrate`: brings the database's schema up to date, and says what was applied. */
export async function migrateDatabase(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const { settings } = await settingsOf(terminal, flags);
  const { databaseUrl } = settings;
  if (isPostgresUrl(databaseUrl)) {
    const { migratePostgres } = await import('../storage/sql/postgres/schema-state.js');
    report(terminal, maskedUrl(databaseUrl), await migratePostgres(databaseUrl));
    return EXIT.ok;
  }
  const file = databaseFile(settings);
  if (file === undefined) {
    throw new CommandError('A database in memory is made and migrated anew at every start.');
  }
  const { migrateFile } = await import('../storage/sql/sqlite/migrate-file.js');
  await mkdir(dirname(file), { recursive: true });
  report(terminal, file, await migrateFile(file));
  return EXIT.ok;
}

function report(terminal: Terminal, database: string, applied: readonly string[]): void {
  applied.forEach((name) => terminal.print(`applied ${name}`));
  terminal.print(applied.length === 0 ? `${database} is up to date.` : `${database} was migrated.`);
}
