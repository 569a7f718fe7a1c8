import { maskedUrl } from '../../settings/describe.js';
import { EXPORT_CONNECTIONS } from '../../storage-options.js';
import type { Settings } from '../../settings/schema.js';
import { DatabaseInspection } from '../../storage/sql/postgres/inspection.js';
import type { Check } from './check.js';
import { checkLogin, checkPool, checkRoles, checkVersion, checkDurability } from './postgres-server.js';
import { checkHomes, checkWall } from './postgres-wall.js';
import { partitionsCheck } from './partitions-check.js';
import { schemaCheck } from './schema-check.js';

/** PostgreSQL's codes of what a connection is refused for. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const ADVICE: Readonly<Record<string, string>> = {
  '28P01': 'Correct the user and password of the URL.',
  '28000': 'Let the login in: see pg_hba.conf.',
  '3D000': 'Make it: create database … owner ….',
  '53300': 'Raise max_connections, or lower the pool sizes.',
};

/**
 * Looks at the server, the login, the schema and the second wall of every home. The wall is proved with rows of
 * partitions that do not exist, in transactions that are rolled back.
 */
export async function checkPostgres(settings: Settings): Promise<readonly Check[]> {
  const { databaseUrl } = settings;
  let inspection: DatabaseInspection;
  try {
    inspection = await DatabaseInspection.open(databaseUrl);
  } catch (error) {
    return [unreachable(databaseUrl, error as Error)];
  }
  try {
    return await checkContent(inspection, settings);
  } catch (error) {
    const found = `${maskedUrl(databaseUrl)}: ${(error as Error).message}`;
    const advice = 'Is it a database of Bulkhead, and may the login read it?';
    return [{ name: 'database', state: 'fail', found, advice }];
  } finally {
    await inspection.close();
  }
}

function unreachable(url: string, error: Error): Check {
  const { code = '' } = error as { readonly code?: string };
  const advice = ADVICE[code] ?? 'Is the server running, and does the URL name its host and port?';
  // Several addresses that were all tried have no message of their own.
  const found = `${maskedUrl(url)} cannot be reached: ${error.message || code}`;
  return { name: 'database', state: 'fail', found, advice };
}

async function checkContent(inspection: DatabaseInspection, settings: Settings): Promise<readonly Check[]> {
  const server = await inspection.server();
  const about = [
    checkVersion(server, maskedUrl(settings.databaseUrl)),
    checkPool(server, settings.databasePoolSize + settings.exportWorkers * EXPORT_CONNECTIONS),
    checkDurability(server),
    checkLogin(server),
  ];
  const applied = (await inspection.migrations(null)) ?? [];
  const schema = schemaCheck(applied);
  const roles = checkRoles(await inspection.roles(), server);
  // Before it is migrated there is nothing behind the wall.
  if (schema.state !== 'ok') return [...about, roles, schema];
  const places = await inspection.places();
  const byState = Map.groupBy(places, ({ state }) => state);
  const counts = new Map([...byState].map(([state, group]) => [state, group.length]));
  return [
    ...about,
    roles,
    schema,
    partitionsCheck(counts),
    await checkWall(inspection),
    ...(await checkHomes(inspection, places, settings.databaseUrl)),
  ];
}
