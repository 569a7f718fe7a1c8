import type { PartitionId } from '../../model/partition.js';
import { databaseName, databaseOf, schemaName, withDatabase } from '../../storage/sql/postgres/home-names.js';
import {
  DatabaseInspection,
  type PlaceFacts,
  type TableFacts,
} from '../../storage/sql/postgres/inspection.js';
import {
  APPLICATION_ROLE,
  FULL_TEXT_ROLE,
  SEVERAL_PARTITIONS_ROLE,
} from '../../storage/sql/postgres/prologue.js';
import { proveWall } from '../../storage/sql/postgres/wall-proof.js';
import type { Check } from './check.js';
import { schemaCheck } from './schema-check.js';

const POLICIES = [APPLICATION_ROLE, SEVERAL_PARTITIONS_ROLE].join();
/** A function looks the words of all partitions up and answers those of one: its role may read that one table. */
const FULL_TEXT_TABLE = 'hfj_res_fulltext';
const ADVICE =
  'Serve nothing until it stands again: restore the policies of migrations/postgres-security.ts, or a backup.';

/** Whether row-level security keeps the partitions of the main database apart. */
export async function checkWall(inspection: DatabaseInspection): Promise<Check> {
  const { tables, problems } = await problemsOf(inspection, null);
  if (problems.length === 0) return { name: 'wall', state: 'ok', found: `proved on ${tables} tables` };
  return { name: 'wall', state: 'fail', found: problems.join('; '), advice: ADVICE };
}

/** The same for each partition with a place of its own, and whether that place is there and up to date. */
export async function checkHomes(
  inspection: DatabaseInspection,
  places: readonly PlaceFacts[],
  url: string,
): Promise<readonly Check[]> {
  const homes = places.filter(({ placement, state }) => placement !== 'shared' && state !== 'purging');
  if (homes.length === 0) return [];
  const failed: Check[] = [];
  let behind = 0;
  for (const home of homes) {
    const check = await checkHome(inspection, home, url);
    if (check?.state === 'warn') behind++;
    else if (check) failed.push(check);
  }
  if (failed.length > 0) return failed;
  const found = `${homes.length} partitions with a place of their own`;
  if (behind === 0) return [{ name: 'homes', state: 'ok', found }];
  const advice = '`bulkhead migrate` brings them up to date; until then they are not served.';
  return [{ name: 'homes', state: 'warn', found: `${found}, ${behind} behind this version`, advice }];
}

/** Undefined where all is well. */
async function checkHome(
  inspection: DatabaseInspection,
  { id, placement }: PlaceFacts,
  url: string,
): Promise<Check | undefined> {
  const partition = id as PartitionId;
  if (placement === 'schema') return checkPlace(inspection, schemaName(partition));
  const name = databaseName(databaseOf(url), partition);
  let own: DatabaseInspection;
  try {
    own = await DatabaseInspection.open(withDatabase(url, name));
  } catch (error) {
    return {
      name: 'homes',
      state: 'fail',
      found: `database ${name}: ${(error as Error).message}`,
      advice: MISSING,
    };
  }
  try {
    return await checkPlace(own, null, `database ${name}`);
  } finally {
    await own.close();
  }
}

const MISSING = 'Restore it from a backup.';

async function checkPlace(
  inspection: DatabaseInspection,
  schema: string | null,
  name = `schema ${schema}`,
): Promise<Check | undefined> {
  const applied = await inspection.migrations(schema);
  if (applied === undefined)
    return { name: 'homes', state: 'fail', found: `${name} is not there`, advice: MISSING };
  const state = schemaCheck(applied);
  if (state.state !== 'ok') return { ...state, name: 'homes', found: `${name}: ${state.found}` };
  const { problems } = await problemsOf(inspection, schema);
  if (problems.length === 0) return undefined;
  return { name: 'wall', state: 'fail', found: `${name}: ${problems.join('; ')}`, advice: ADVICE };
}

async function problemsOf(
  inspection: DatabaseInspection,
  schema: string | null,
): Promise<{ readonly tables: number; readonly problems: readonly string[] }> {
  const all = await inspection.tables(schema);
  const problems = all.flatMap((table) => problemOf(table) ?? []);
  const tables = all.filter(({ isChild }) => !isChild);
  for (const { name } of tables) {
    const holes = await proveWall(inspection.client, name, schema);
    problems.push(...holes.map((hole) => `${name}: ${hole}`));
  }
  return { tables: tables.length, problems };
}

/** Nobody comes to a child table but through its parent, whose policies then count. */
function problemOf({ name, secured, forced, isChild, granted, policies }: TableFacts): string | undefined {
  if (isChild && !granted) return undefined;
  if (!secured) return `${name} has no row-level security`;
  if (!forced) return `${name} does not hold its owner`;
  if (isChild && policies.length === 0) return undefined;
  const expected = name === FULL_TEXT_TABLE ? `${POLICIES},${FULL_TEXT_ROLE}` : POLICIES;
  return policies.join() === expected
    ? undefined
    : `${name} has other policies: ${policies.join(', ') || 'none'}`;
}
