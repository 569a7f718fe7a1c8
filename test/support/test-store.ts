import type { Settings } from '../../src/settings/schema.js';

/** Where the servers of a test run keep what they store. */
export type StoreKind = 'sqlite' | 'postgres';

/** What the runner tells its tests, by environment: they run in threads and processes of their own. */
export const STORE_VARIABLE = 'BULKHEAD_TEST_STORE';
export const PLACEMENT_VARIABLE = 'BULKHEAD_TEST_PLACEMENT';
export const POSTGRES_VARIABLE = 'BULKHEAD_TEST_POSTGRES_URL';
/** The same server behind a connection pooler; the servers under test then go through it. */
export const POOLER_VARIABLE = 'BULKHEAD_TEST_POOLER_URL';
/** Name of the migrated database that every other one is copied from; theirs begin with what stands before `_template`. */
export const TEMPLATE_VARIABLE = 'BULKHEAD_TEST_POSTGRES_TEMPLATE';

/** A migrated SQLite file that every other one is copied from. */
export const SQLITE_TEMPLATE_VARIABLE = 'BULKHEAD_TEST_SQLITE_TEMPLATE';

/**
 * What a database begins with. R4's search parameters become rows when a server is first asked for one, which takes
 * a second or more: tests that are about something else than this begin with the rows.
 */
export type DatabaseContents = 'nothing' | 'search-parameters';

/** The name of the template with these contents, where `empty` is the one with nothing in it. */
export function templateOf(empty: string, contents: DatabaseContents): string {
  return contents === 'nothing' ? empty : `${empty}_parameters`;
}

/** The store that this run is about: SQLite, unless the environment says otherwise. @throws Error for another word. */
export function storeUnderTest(): StoreKind {
  const word = process.env[STORE_VARIABLE] ?? 'sqlite';
  if (word !== 'sqlite' && word !== 'postgres') {
    throw new Error(`${STORE_VARIABLE} is "${word}"; it may be "sqlite" or "postgres".`);
  }
  return word;
}

const PLACEMENTS: readonly Settings['placement'][] = ['shared', 'schema', 'database'];

/** Where new partitions are placed: `shared`, unless the environment says otherwise. @throws Error for another word. */
export function placementUnderTest(): Settings['placement'] {
  const word = process.env[PLACEMENT_VARIABLE] ?? 'shared';
  const placement = PLACEMENTS.find((known) => known === word);
  if (placement !== undefined) return placement;
  throw new Error(`${PLACEMENT_VARIABLE} is "${word}"; it may be one of ${PLACEMENTS.join(', ')}.`);
}
