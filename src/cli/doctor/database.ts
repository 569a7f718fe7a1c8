import type { Settings } from '../../settings/schema.js';
import { isPostgresUrl } from '../database-file.js';
import type { Check } from './check.js';

/** Looks at the database that the settings name, without changing anything that stays. */
export async function checkDatabase(settings: Settings): Promise<readonly Check[]> {
  if (isPostgresUrl(settings.databaseUrl)) {
    const { checkPostgres } = await import('./postgres.js');
    return checkPostgres(settings);
  }
  const { checkSqlite } = await import('./sqlite.js');
  return checkSqlite(settings);
}
