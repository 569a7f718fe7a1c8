import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from './command-error.js';
import { databaseFile } from './database-file.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/** `bulkhead migrate`: brings the database's schema up to date, and says what was applied. */
export async function migrateDatabase(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const { settings } = await settingsOf(terminal, flags);
  const file = databaseFile(settings);
  if (file === undefined) {
    throw new CommandError('A database in memory is made and migrated anew at every start.');
  }
  const { migrateFile } = await import('../storage/sql/sqlite/migrate-file.js');
  await mkdir(dirname(file), { recursive: true });
  const applied = await migrateFile(file);
  applied.forEach((name) => terminal.print(`applied ${name}`));
  terminal.print(applied.length === 0 ? `${file} is up to date.` : `${file} was migrated.`);
  return EXIT.ok;
}
