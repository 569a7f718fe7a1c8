import type { RoleFacts, ServerFacts } from '../../storage/sql/postgres/inspection.js';
import type { Check } from './check.js';

/** What the tests run on begins here; row texts are compressed with lz4 since 14. */
const OLDEST_TESTED = 150_000;
const OLDEST = 140_000;
/** Besides the pool: one that hears of changes, two that make and drop homes, and one that renews statistics. */
const BESIDE_THE_POOL = 4;

/** Whether the server is one that this version works with, and can be written to. */
export function checkVersion(
  { version, versionNumber, encoding, readOnly }: ServerFacts,
  url: string,
): Check {
  const name = 'database';
  const found = `PostgreSQL ${version} at ${url}`;
  if (versionNumber < OLDEST) return { name, state: 'fail', found, advice: 'Use PostgreSQL 15 or later.' };
  if (encoding !== 'UTF8') {
    const advice = 'Make the database with encoding UTF8: FHIR is Unicode.';
    return { name, state: 'fail', found: `${found} has the encoding ${encoding}`, advice };
  }
  if (readOnly) {
    const advice = 'Name the primary: a standby takes no changes.';
    return { name, state: 'fail', found: `${found} is read-only`, advice };
  }
  if (versionNumber >= OLDEST_TESTED) return { name, state: 'ok', found };
  return { name, state: 'warn', found, advice: 'It is tested with PostgreSQL 15 and later.' };
}

/** Whether the pool, with the connections of exports, fits into what the server has left. */
export function checkPool({ maxConnections, usedConnections }: ServerFacts, poolSize: number): Check {
  const name = 'pool';
  const wanted = poolSize + BESIDE_THE_POOL;
  const left = maxConnections - usedConnections;
  const found = `${wanted} connections wanted, ${left} of ${maxConnections} free`;
  if (wanted <= left) return { name, state: 'ok', found };
  const advice = 'Raise max_connections, lower BULKHEAD_DATABASE_POOL_SIZE, or end other clients.';
  return { name, state: 'warn', found, advice };
}

/** Whether what was acknowledged survives a crash. */
export function checkDurability({ unsafe }: ServerFacts): Check {
  const name = 'durability';
  if (unsafe.length === 0) return { name, state: 'ok', found: 'acknowledged changes survive a crash' };
  const advice = 'Switch it on: a crash loses acknowledged changes, or the database.';
  return { name, state: 'warn', found: `${unsafe.join(', ')} off`, advice };
}

/** Whether the login is held by the wall, and may do what migrations need. */
export function checkLogin({ login, excess, mayCreateTables }: ServerFacts): Check {
  const name = 'login';
  if (!mayCreateTables) {
    const advice = `Make it the owner: alter database … owner to ${login}.`;
    return { name, state: 'fail', found: `${login} may not make tables`, advice };
  }
  if (excess.length === 0) return { name, state: 'ok', found: `${login} is nothing special` };
  const advice =
    'Use a login of its own; the server changes to a lesser role in every transaction all the same.';
  return { name, state: 'warn', found: `${login} is ${excess.join(' and ')}`, advice };
}

/** Whether the roles of the server's transactions are what the wall needs. */
export function checkRoles(roles: readonly RoleFacts[], { mayCreateRoles, login }: ServerFacts): Check {
  const name = 'roles';
  const mighty = roles.filter(({ excess }) => excess.length > 0);
  if (mighty.length > 0) {
    const found = mighty.map((role) => `${role.name} is ${role.excess.join(' and ')}`).join('; ');
    return { name, state: 'fail', found, advice: 'Take that away: the wall does not hold for such a role.' };
  }
  const missing = roles.filter(({ exists }) => !exists).map((role) => role.name);
  if (missing.length > 0) {
    const found = `${missing.join(', ')} not there`;
    if (mayCreateRoles) return { name, state: 'ok', found: `${found} yet; migrations make them` };
    const advice = `Have them made: ${missing.map((one) => `create role ${one} nologin`).join('; ')}; grant them to ${login}.`;
    return { name, state: 'fail', found, advice };
  }
  const barred = roles.filter(({ settable }) => !settable).map((role) => role.name);
  if (barred.length === 0) return { name, state: 'ok', found: roles.map((role) => role.name).join(', ') };
  const advice = `grant ${barred.join(', ')} to ${login}`;
  return { name, state: 'fail', found: `${login} may not take on ${barred.join(', ')}`, advice };
}
