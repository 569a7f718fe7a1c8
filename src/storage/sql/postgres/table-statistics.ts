import type pg from 'pg';
import { PARTITIONED_TABLES } from '../tables.js';
import type { PostgresConnections } from './connections.js';
import { quoted } from './home-names.js';
import { STATISTICS_LOCK } from './prologue.js';

/** After how many written resources the tables are looked at first; then each time that their number has doubled. */
const FIRST_LOOK = 1_000;
/** Statistics are renewed where a table has grown so many times. */
const GROWTH = 5;
/** Longest wait for a table that is being changed or cleaned by others, in milliseconds: then it is left to them. */
const LOCK_TIMEOUT_MS = 250;
/** Longest work on one table, in milliseconds: changes of the table wait for it. */
const TABLE_TIMEOUT_MS = 20_000;
/** The same for a table with native partitions: all of them wait. */
const PARENT_TIMEOUT_MS = 2_000;
/** Longest wait at the end for what has begun, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Tables that have outgrown their statistics, with those above native partitions first, as they take these along.
 * What has none has never been analyzed; PostgreSQL itself never analyzes a table above. $1 one of the tables with its
 * schema, $2 all of them.
 */
const OUTGROWN = `with HERE as (
    select c.oid, c.relname, c.relkind, c.reltuples, c.relpages, n.nspname, i.inhparent,
      pg_relation_size(c.oid) / current_setting('block_size')::integer as PAGES
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
    where c.relkind in ('r', 'p') and coalesce(p.relname, c.relname) = any ($2::text[])
      and c.relnamespace = (select relnamespace from pg_class where oid = to_regclass($1))),
  GROWN as (
    select h.*, case h.relkind when 'r' then PAGES > 0 and (reltuples < 0 or PAGES >= ${GROWTH} * relpages)
      else (select sum(greatest(l.reltuples, l.relpages, 1) / greatest(l.relpages, 1) * l.PAGES) from HERE l
        where l.inhparent = h.oid) >= greatest(${GROWTH} * reltuples, 1) end as IS_GROWN
    from HERE h)
  select oid::text as id, format('%I.%I', nspname, relname) as name, relkind = 'p' as "isAbove" from GROWN
  where IS_GROWN order by relkind, relname`;

const TRY_LOCK = `select pg_try_advisory_xact_lock(${STATISTICS_LOCK}, 0) as "isMine"`;
/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const LOCK_NOT_AVAILABLE = '55P03';

/** One table, by its OID and as it stands in SQL. */
interface Outgrown {
  readonly id: string;
  readonly name: string;
  /** Whether it stands above native partitions. */
  readonly isAbove: boolean;
}

/** What came of one table; `busy`: somebody else is at it, or at another one, and it is looked at again soon. */
type Outcome = 'renewed' | 'left' | 'busy';

/** Told, in words for an operator, what came of it. */
export interface StatisticsReport {
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

/**
 * The planner's statistics of a home, renewed while its tables grow fast: after a first load autovacuum comes a minute
 * too late. Counts what this process writes, and is idle with it. Works behind the requests, on a connection of its own;
 * one process at a time in each database. What fails is left to autovacuum.
 * https://www.postgresql.org/docs/current/sql-analyze.html
 */
export class TableStatistics {
  private written = 0;
  private nextLook = FIRST_LOOK;
  private running: Promise<void> | undefined;
  private hasWarned = false;
  private isClosing = false;
  private readonly abort = new AbortController();

  constructor(
    private readonly connections: PostgresConnections,
    private readonly report: StatisticsReport,
  ) {}

  /** So many resources were written. */
  note(resources: number): void {
    this.written += resources;
    if (this.written < this.nextLook || this.running || this.isClosing) return;
    this.running = this.look().finally(() => {
      this.running = undefined;
    });
  }

  /** Waits some seconds for the table that is at work; others are left as they are. */
  async close(): Promise<void> {
    this.isClosing = true;
    const timer = setTimeout(() => this.abort.abort(), CLOSE_TIMEOUT_MS);
    await this.running;
    clearTimeout(timer);
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    try {
      const { pool } = this.connections;
      const outcomes = await pool.besideRequests((client) => this.renew(client), this.abort.signal);
      this.nextLook = outcomes.includes('busy') ? this.written + FIRST_LOOK : 2 * this.written;
      const renewed = outcomes.filter((outcome) => outcome === 'renewed').length;
      if (renewed > 0) this.report.info(`Statistics renewed, of tables that had grown fivefold: ${renewed}.`);
    } catch (error) {
      this.nextLook = 2 * this.written;
      this.warn(error as Error);
    }
  }

  private async renew(client: pg.Client): Promise<readonly Outcome[]> {
    const tables = await inTransaction(client, TABLE_TIMEOUT_MS, () => this.outgrown(client));
    const outcomes: Outcome[] = [];
    for (const table of tables) if (!this.isClosing) outcomes.push(await this.renewOne(client, table));
    return outcomes;
  }

  private async renewOne(client: pg.Client, { id, name, isAbove }: Outgrown): Promise<Outcome> {
    const limit = isAbove ? PARENT_TIMEOUT_MS : TABLE_TIMEOUT_MS;
    try {
      return await inTransaction(client, limit, async () => {
        const { rows } = await client.query<{ isMine: boolean }>(TRY_LOCK);
        if (rows[0]?.isMine !== true) return 'busy';
        // Somebody else may have been here since.
        if (!(await this.outgrown(client)).some((table) => table.id === id)) return 'left';
        await client.query(`analyze ${name}`);
        return 'renewed';
      });
    } catch (error) {
      if ((error as pg.DatabaseError).code === LOCK_NOT_AVAILABLE) return 'busy';
      this.warn(error as Error);
      return 'left';
    }
  }

  private warn({ message }: Error): void {
    if (this.hasWarned || this.isClosing) return;
    this.hasWarned = true;
    this.report.warn(`Statistics of tables that have grown are left to autovacuum: ${message}`);
  }

  private async outgrown(client: pg.Client): Promise<readonly Outgrown[]> {
    const { schema } = this.connections;
    const one = schema === null ? TABLES[0] : `${quoted(schema)}.${TABLES[0]}`;
    const { rows } = await client.query<Outgrown>(OUTGROWN, [one, TABLES]);
    return rows;
  }
}

const TABLES = PARTITIONED_TABLES.map((table) => table.toLowerCase());

/**
 * One at a time, so that one table is held up only, and a pooler may give each of them any backend. A connection that
 * broke fails the next one.
 */
async function inTransaction<Result>(
  client: pg.Client,
  limitMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(`set local statement_timeout = ${limitMs}`);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
