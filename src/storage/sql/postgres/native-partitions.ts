import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { FhirError } from '../../../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../../model/partition.js';
import type { RetainedRows } from '../../placement/home.js';
import type { PartitionContents } from '../../store.js';
import { RESOURCE_TABLES, type ResourceTable } from '../tables.js';
import type { PgTransaction, PostgresConnections } from './connections.js';
import { idWord } from './home-names.js';
import type { PostgresPool } from './postgres-pool.js';
import { APPLICATION_ROLE, LOCK_TIMEOUT_MS } from './prologue.js';
import type { PgStatement, PgValue } from './statement.js';
import { USAGE_SQL } from './usage-sql.js';

/** Tables that have native partitions; the claims of ids are looked up over all partitions. */
const LISTED = RESOURCE_TABLES.filter((table) => table !== 'HFJ_RES_ID_CLAIM');

/** Longest wait of a change of tables for requests that use them; those that come later wait behind it. */
const LOCK_MS = 250;
const MOST_ATTEMPTS = 8;
const BETWEEN_ATTEMPTS_MS = 100;
/** Writers of a partition wait at most this long while it is looked whether all of it has expired. */
const LOOK_MS = 2_000;
/** A native partition that is made has PostgreSQL look through the rows of those that have none: some milliseconds. */
const MOST_OTHER_BYTES = 64 * 2 ** 20;

/** Every leaf costs planning time and memory of every connection. */
const MANY = 10;

/** How native partitions are used. */
export interface NativePartitionOptions {
  /** How many shared partitions get native ones. */
  readonly most: number;
  readonly warn: (message: string) => void;
}

/** Whether the tables of a database were made with native partitions. */
export async function hasNativePartitions(pool: PostgresPool): Promise<boolean> {
  const { rows } = await pool.asOwner((client) =>
    client.query<{ relkind: string }>(
      `select relkind::text from pg_class where oid = to_regclass('hfj_resource')`,
    ),
  );
  return rows[0]?.relkind === 'p';
}

/**
 * Native LIST partitions: a table of its own for every shared partition, up to a cap; the rows of all others stand
 * together. The roles of the server have no right to them but through their parents, where the policies of row-level
 * security are. https://www.postgresql.org/docs/current/ddl-partitioning.html
 */
export class NativePartitions {
  constructor(
    private readonly connections: PostgresConnections,
    private readonly options: NativePartitionOptions,
  ) {}

  /** Warns where there are many. */
  async checkNumber(): Promise<void> {
    const { count } = await this.state((statements) => this.connections.read('none', statements));
    if (count <= MANY) return;
    this.options.warn(
      `${count} partitions have native partitions: beyond ${MANY} every statement takes notably longer to plan.`,
    );
  }

  /**
   * Makes those of a partition, in the transaction that brings it here. Beyond the cap, or with too many rows in
   * the common ones, nothing is made. @throws TablesBusy: nothing has changed, and it can be tried again.
   */
  async make(transaction: PgTransaction, partition: PartitionId): Promise<void> {
    const { most, warn } = this.options;
    if (most === 0 || partition === DEFAULT_PARTITION_ID) return;
    const run: PgTransaction['run'] = (statements) => transaction.run(statements);
    if (await hasLeaves(run, partition)) return;
    const { count, otherBytes } = await this.state(run);
    const reason =
      count >= most
        ? `there are ${count} already (nativePartitions)`
        : otherBytes > MOST_OTHER_BYTES
          ? `${Math.round(otherBytes / 2 ** 20)} MiB of rows without one would be looked through`
          : undefined;
    if (reason === undefined) await attach(run, partition);
    else warn(`Partition ${partition} gets no native partition of its own: ${reason}.`);
  }

  /** Runs what makes native partitions, again while their tables are in use. @throws FhirError BUSY */
  async whileBusy<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof TablesBusy)) throw error;
        if (attempt === MOST_ATTEMPTS) throw inUse(error);
        await pause(BETWEEN_ATTEMPTS_MS);
      }
    }
  }

  /** Drops those of a partition with all its rows; answers how many went. @throws FhirError BUSY */
  async drop(partition: PartitionId): Promise<number> {
    const read: PgTransaction['run'] = (statements) => this.connections.read([partition], statements);
    if (!(await hasLeaves(read, partition))) return 0;
    const { resources, versions, indexRows } = await this.contents(partition);
    for (const table of LISTED) {
      const statements = [...AS_OWNER, ddl(`drop table if exists ${leafOf(table, partition)}`)];
      await this.whileBusy(() => sayingBusy(() => this.connections.write('none', statements)));
    }
    return Math.max(1, resources + versions + indexRows);
  }

  /** Drops those of a partition that was deleted; where that cannot be done now, the next start does it. */
  async dropDeleted(partition: PartitionId): Promise<void> {
    try {
      for (const table of LISTED) {
        const drop = (): Promise<void> =>
          this.connections.transaction([partition], (run) => dropDeleted(run, table, partition), 'exclusive');
        await this.whileBusy(() => sayingBusy(drop));
      }
    } catch (error) {
      if (!(error instanceof FhirError && error.code === 'BUSY')) throw error;
      this.options.warn(`Native partitions of ${partition}, which was deleted, are left: ${error.message}`);
    }
  }

  /** Drops what is left of deleted partitions. */
  async sweep(): Promise<void> {
    const [left] = await this.connections.read('none', [query(LEFT, [])]);
    for (const [partition] of left?.rows ?? []) await this.dropDeleted(partition as PartitionId);
  }

  /**
   * Empties those of a partition where every row of it is dated before `before` (YYYY-MM-DD), and answers what went;
   * null where there is nothing like that, or it cannot be done at once. Writers of the partition wait meanwhile.
   */
  async empty(partition: PartitionId, before: string): Promise<RetainedRows | null> {
    const read: PgTransaction['run'] = (statements) => this.connections.read([partition], statements);
    if (!(await hasLeaves(read, partition))) return null;
    const [kept] = await read([query(anyKept('HFJ_RESOURCE'), [partition, before])]);
    if (kept?.rows[0]?.[0] === true) return null;
    try {
      return await this.connections.transaction(
        [partition],
        (transaction) => truncateExpired(transaction, partition, before),
        'exclusive',
      );
    } catch (error) {
      if (error instanceof TablesBusy || codeOf(error) === QUERY_CANCELED) return null;
      throw error;
    }
  }

  private async contents(partition: PartitionId): Promise<PartitionContents> {
    const results = await this.connections.read(
      [partition],
      LISTED.map((table) => query(`select count(*) from ${table} t where t.PARTITION_ID = $1`, [partition])),
    );
    return toContents(results.map((result) => result.rows[0]?.[0] as number));
  }

  private async state(run: PgTransaction['run']): Promise<NativeState> {
    const [found] = await run([query(STATE, [])]);
    const [count = 0, otherBytes = 0] = (found?.rows[0] ?? []) as readonly number[];
    return { count, otherBytes };
  }
}

/** The tables are used by requests that do not end in time; the transaction was rolled back. */
export class TablesBusy extends Error {
  override readonly name = 'TablesBusy';
}

interface NativeState {
  /** Partitions with native ones, without DEFAULT. */
  readonly count: number;
  /** Rows of those that have none, in bytes. */
  readonly otherBytes: number;
}

const QUERY_CANCELED = '57014';
const LOCK_NOT_AVAILABLE = '55P03';

const OTHERS = LISTED.map((table) => `'${table.toLowerCase()}_others'`).join(', ');
const STATE = `select
  (select count(*) from pg_inherits where inhparent = to_regclass('hfj_resource')) - 2,
  (select sum(pg_relation_size(to_regclass(name)))::bigint from unnest(array[${OTHERS}]) name)`;

/** Deleted partitions of which the table that is dropped last is still there. */
const LEFT = `select PART_ID from HFJ_PARTITION where PART_STATE = 'deleted'
  and to_regclass('hfj_binary_stage_p' || replace(PART_ID::text, '-', 'n')) is not null`;

/** In this transaction alone: only the owner of tables changes them. */
const AS_OWNER: readonly PgStatement[] = [
  query(`select set_config('role', 'none', true), set_config('lock_timeout', $1, true)`, [String(LOCK_MS)]),
];

function leafOf(table: ResourceTable, partition: PartitionId): string {
  return `${table.toLowerCase()}_p${idWord(partition)}`;
}

async function hasLeaves(run: PgTransaction['run'], partition: PartitionId): Promise<boolean> {
  const names = LISTED.map((table) => `'${leafOf(table, partition)}'`).join(', ');
  const [found] = await run([query(`select count(to_regclass(name)) from unnest(array[${names}]) name`, [])]);
  return (found?.rows[0]?.[0] as number) > 0;
}

/** Made beside its parent and then attached, which unlike making it a partition at once holds up no reader. */
async function attach(run: PgTransaction['run'], partition: PartitionId): Promise<void> {
  const made = LISTED.flatMap((table) => {
    const leaf = leafOf(table, partition);
    return [
      `create table ${leaf} (like ${table.toLowerCase()} including all)`,
      `alter table ${leaf} enable row level security`,
      `alter table ${leaf} force row level security`,
      `alter table ${table.toLowerCase()} attach partition ${leaf} for values in (${partition})`,
    ];
  });
  const back = query(`select set_config('role', $1, true), set_config('lock_timeout', $2, true)`, [
    APPLICATION_ROLE,
    String(LOCK_TIMEOUT_MS),
  ]);
  await sayingBusy(() => run([...AS_OWNER, ...made.map(ddl), back]));
}

/** The id may have been given to another partition meanwhile. */
async function dropDeleted(
  transaction: PgTransaction,
  table: ResourceTable,
  partition: PartitionId,
): Promise<void> {
  const [found] = await transaction.run([
    query('select PART_STATE from HFJ_PARTITION where PART_ID = $1', [partition]),
  ]);
  if (found?.rows[0]?.[0] !== 'deleted') return;
  await transaction.run([...AS_OWNER, ddl(`drop table if exists ${leafOf(table, partition)}`)]);
}

function anyKept(table: ResourceTable): string {
  return `select exists (select 1 from ${table} t
    where t.PARTITION_ID = $1 and (t.PARTITION_DATE is null or t.PARTITION_DATE >= $2::date))`;
}

async function truncateExpired(
  transaction: PgTransaction,
  partition: PartitionId,
  before: string,
): Promise<RetainedRows | null> {
  const [, ...results] = await transaction.run([
    query(`select set_config('statement_timeout', $1, true), set_config('enable_seqscan', 'on', true)`, [
      String(LOOK_MS),
    ]),
    ...LISTED.map((table) => query(countSql(table), [partition, before])),
  ]);
  const counts = results.map(({ rows }) => rows[0] as readonly [number, number]);
  if (counts.some(([, kept]) => kept > 0) || counts.every(([all]) => all === 0)) return null;
  const leaves = LISTED.map((table) => leafOf(table, partition)).join(', ');
  await transaction.run([query(USAGE_SQL.empty, [partition])]);
  await sayingBusy(() => transaction.run([...AS_OWNER, ddl(`truncate ${leaves}`)]));
  return toContents(counts.map(([all]) => all));
}

/** Content that is being sent keeps everything. */
function countSql(table: ResourceTable): string {
  const kept = table === 'HFJ_BINARY_STAGE' ? ' or true' : '';
  return `select count(*), count(*) filter (where t.PARTITION_DATE is null or t.PARTITION_DATE >= $2::date${kept})
    from ${table} t where t.PARTITION_ID = $1`;
}

/** `counts`: in the order of `LISTED`. */
function toContents(counts: readonly number[]): PartitionContents {
  const of = (table: (typeof LISTED)[number]): number => counts[LISTED.indexOf(table)] ?? 0;
  const [resources, versions] = [of('HFJ_RESOURCE'), of('HFJ_RES_VER')];
  const all = counts.reduce((sum, count) => sum + count, 0);
  return { resources, versions, indexRows: all - resources - versions };
}

/** @throws TablesBusy where `work`, a change of tables, has waited too long for a lock */
async function sayingBusy<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw codeOf(error) === LOCK_NOT_AVAILABLE
      ? new TablesBusy('the tables are in use', { cause: error })
      : error;
  }
}

/** What PostgreSQL has said, also where the error is a client's already. */
function codeOf(error: unknown): string | undefined {
  const said = error instanceof FhirError ? error.cause : error;
  return said instanceof pg.DatabaseError ? said.code : undefined;
}

function inUse(cause: unknown): FhirError {
  return new FhirError('BUSY', 'The tables of the partition are in use and cannot be changed now.', {
    cause,
    headers: { 'Retry-After': '5' },
  });
}

function ddl(text: string): PgStatement {
  return query(text, []);
}

function query(text: string, values: readonly PgValue[]): PgStatement {
  return { text, values };
}
