import { knownMigrations } from '../../storage/sql/migrate.js';
import type { Check } from './check.js';

/** How a schema with these migrations stands to this version. */
export function schemaCheck(applied: readonly string[]): Check {
  const name = 'schema';
  const known = knownMigrations();
  const newer = applied.find((one) => !known.includes(one));
  if (newer !== undefined) {
    const advice = 'Start the version that made it, or a later one.';
    return { name, state: 'fail', found: `${newer} is newer than this version`, advice };
  }
  const missing = known.filter((one) => !applied.includes(one));
  if (missing.length > 0) {
    const advice = 'The next start, or `bulkhead migrate`, applies it.';
    return { name, state: 'warn', found: `${missing.join(', ')} is not applied`, advice };
  }
  return { name, state: 'ok', found: applied.at(-1) ?? '' };
}
