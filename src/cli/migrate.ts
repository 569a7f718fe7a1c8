import { CommandError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/** `bulkhead migrate`: brings the database's schema up to date, and says what was applied. */
export async function migrateDatabase(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const { databaseUrl } = (await settingsOf(terminal, flags)).settings;
  if (databaseUrl.endsWith(':memory:')) {
    throw new CommandError('A database in memory is made and migrated anew at every start.');
  }
  const { migrateFile } = await import('../storage/sql/sqlite/sqlite-storage.js');
  const { locateSqlite } = await import('../storage/sql/sqlite/open.js');
  const { file } = locateSqlite(databaseUrl);
  const applied = await migrateFile(file);
  applied.forEach((name) => terminal.print(`applied ${name}`));
  terminal.print(applied.length === 0 ? `${file} is up to date.` : `${file} was migrated.`);
  return EXIT.ok;
}
