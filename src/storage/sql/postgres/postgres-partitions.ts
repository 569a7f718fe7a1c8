import pg from 'pg';
import { FhirError } from '../../../model/errors.js';
import {
  DEFAULT_PARTITION_ID,
  type Partition,
  type PartitionId,
  type Placement,
} from '../../../model/partition.js';
import type { IdClaim, MainRegistry, PartitionPlace } from '../../placement/home.js';
import { assertEmpty } from '../../placement/placed-registry.js';
import { settingsOfPartition } from '../../partition-setting.js';
import type { PartitionContents, StoredJob } from '../../store.js';
import { knownMigrations } from '../migrate.js';
import { textArray } from './binary-array.js';
import type { PgTransaction, PostgresConnections } from './connections.js';
import type { NativePartitions } from './native-partitions.js';
import { countContents, forgetPartition, purgeSome } from './partition-rows.js';
import type { PgStatement, PgValue } from './statement.js';
import { ADD_TYPES, typeValues } from './type-sql.js';

/** Notified when partitions have changed. */
export const DIRECTORY_CHANNEL = 'bulkhead_directory';

/**
 * Every change of the directory counts it up: servers that miss the notification see the number. The row also makes
 * such changes wait for each other.
 */
const CHANGED: readonly PgStatement[] = [
  query(
    `insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE) values ('directory-version', '1')
      on conflict (SETTING_KEY) do update set SETTING_VALUE = (HFJ_SETTING.SETTING_VALUE::bigint + 1)::text`,
    [],
  ),
  query(`select pg_notify('${DIRECTORY_CHANNEL}', '')`, []),
];

const CREATE = `insert into HFJ_PARTITION
    (PART_ID, PART_NAME, PART_DESC, PART_STATE, PART_PLACEMENT, PART_MIGRATION) values ($1, $2, $3, $4, $5, $6)
  on conflict (PART_ID) do update
    set PART_NAME = excluded.PART_NAME, PART_DESC = excluded.PART_DESC, PART_STATE = excluded.PART_STATE,
      PART_PLACEMENT = excluded.PART_PLACEMENT, PART_MIGRATION = excluded.PART_MIGRATION`;

const ADOPT = `insert into HFJ_PARTITION as p (PART_ID, PART_NAME) values ($1, $2)
  on conflict (PART_ID) do update
    set PART_NAME = excluded.PART_NAME, PART_STATE = 'active', PART_PLACEMENT = 'shared', PART_MIGRATION = null
    where p.PART_STATE = 'deleted'`;

const PLACES = `select PART_ID, PART_NAME, PART_PLACEMENT, PART_STATE, PART_MIGRATION from HFJ_PARTITION
  where PART_STATE <> 'deleted' order by PART_ID`;

const PLACE = `update HFJ_PARTITION set PART_PLACEMENT = $2, PART_STATE = $3, PART_MIGRATION = $4 where PART_ID = $1`;

/** Ordinals of the claims that another partition has. Who has claimed an id may claim it again. */
const CLAIM_IDS = `with c as materialized (
    select c.N, t.RES_TYPE_ID, c.ID, c.DAY from unnest($2::text[], $3::text[], $4::text[]) with ordinality c (TYPE, ID, DAY, N)
    join HFJ_RES_TYPE t on t.RES_TYPE = c.TYPE),
  taken as (insert into HFJ_RES_ID_CLAIM (RES_TYPE_ID, FHIR_ID, PARTITION_ID, PARTITION_DATE)
    select c.RES_TYPE_ID, c.ID, $1::integer, c.DAY::date from c on conflict do nothing returning RES_TYPE_ID, FHIR_ID)
  select c.N from c where not exists (select 1 from taken t where t.RES_TYPE_ID = c.RES_TYPE_ID and t.FHIR_ID = c.ID)
    and not exists (select 1 from HFJ_RES_ID_CLAIM o
      where o.PARTITION_ID = $1::integer and o.RES_TYPE_ID = c.RES_TYPE_ID and o.FHIR_ID = c.ID)`;

/**
 * The id stays known, under a name that none can have: given to another partition by itself, it would take what
 * other processes, page links and jobs still mean for the one before.
 */
const RETIRE = `update HFJ_PARTITION set PART_NAME = '#' || PART_ID, PART_DESC = null, PART_STATE = 'deleted'
  where PART_ID = $1`;

const DELETE_SETTINGS = 'delete from HFJ_SETTING where position($1 in SETTING_KEY) > 0';

const PUT_JOB = `insert into HFJ_JOB
    (JOB_ID, JOB_KIND, PARTITION_ID, JOB_STATE, JOB_PARAMETERS, JOB_RESULT, JOB_CREATED, JOB_UPDATED)
    values ($1, $2, $3, $4, $5, $6, $7, $7)
  on conflict (JOB_ID) do update
    set JOB_STATE = excluded.JOB_STATE, JOB_RESULT = excluded.JOB_RESULT, JOB_UPDATED = excluded.JOB_UPDATED`;

type JobRow = readonly [string, string, PartitionId, StoredJob['state'], string, string | null];
type PartitionRow = readonly [PartitionId, string, string | null, Placement];
type PlaceRow = readonly [PartitionId, string, Placement, PartitionPlace['state'], string | null];

/** What a home that was just made has applied. */
const LATEST = knownMigrations().at(-1) ?? null;

/** By the database's clock, since those of servers differ. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
const LEASE = `update HFJ_JOB set JOB_OWNER = $1, JOB_LEASE = ${NOW} + $2::bigint
  where JOB_ID = $3 and JOB_STATE = 'running' and (JOB_OWNER is null or JOB_OWNER = $1 or JOB_LEASE < ${NOW})`;

const SAVE_RUNNING = `update HFJ_JOB set JOB_STATE = $2, JOB_RESULT = $3, JOB_UPDATED = $4
  where JOB_ID = $1 and JOB_STATE = 'running'`;

/** Partitions and their jobs in PostgreSQL. */
export class PostgresPartitions implements MainRegistry {
  /** `natives`: undefined where the tables have no native partitions. */
  constructor(
    private readonly connections: PostgresConnections,
    private readonly natives?: NativePartitions,
  ) {}

  async list(): Promise<readonly Partition[]> {
    const rows = (await this.select(
      `select PART_ID, PART_NAME, PART_DESC, PART_PLACEMENT from HFJ_PARTITION
        where PART_STATE in ('active', 'placed', 'moving') order by PART_ID`,
    )) as unknown as readonly PartitionRow[];
    return rows.map(([id, name, description, placement]) => ({
      id,
      name,
      ...(description === null ? {} : { description }),
      ...(placement === 'shared' ? {} : { placement }),
    }));
  }

  async takenIds(): Promise<ReadonlySet<PartitionId>> {
    const rows = await this.select('select PART_ID from HFJ_PARTITION');
    return new Set(rows.map(([id]) => id as PartitionId));
  }

  /** Ids of every partition that may hold rows, DEFAULT's included. */
  async allIds(): Promise<readonly PartitionId[]> {
    return [DEFAULT_PARTITION_ID, ...(await this.takenIds())];
  }

  /** Moves with every change of the directory. */
  async version(): Promise<string> {
    const [row] = await this.select(
      `select SETTING_VALUE from HFJ_SETTING where SETTING_KEY = 'directory-version'`,
    );
    return String(row?.[0] ?? '');
  }

  create(partition: Partition, check: () => Promise<void>): Promise<void> {
    return this.change(partition, async (transaction) => {
      await assertFree(transaction, partition);
      const { id, name, description = null, placement = 'shared' } = partition;
      if (placement === 'shared') await this.natives?.make(transaction, id);
      const place = placement === 'shared' ? ['active', placement, null] : ['placed', placement, LATEST];
      // Whoever wrote to a partition that had the id before may have been late.
      const settings = query(DELETE_SETTINGS, [settingsOfPartition(id)]);
      await transaction.run([query(CREATE, [id, name, description, ...place]), settings]);
      await check();
    });
  }

  adopt(partition: Partition): Promise<void> {
    return this.change(partition, async (transaction) => {
      const [adopted] = await transaction.run([query(ADOPT, [partition.id, partition.name])]);
      if (adopted?.count === 1) await this.natives?.make(transaction, partition.id);
    });
  }

  update(partition: Partition): Promise<void> {
    return this.change(partition, async (transaction) => {
      await assertFree(transaction, partition, partition.id);
      const sql = 'update HFJ_PARTITION set PART_NAME = $2, PART_DESC = $3 where PART_ID = $1';
      await transaction.run([query(sql, [partition.id, partition.name, partition.description ?? null])]);
    });
  }

  /** Nobody writes to the partition meanwhile. */
  async delete(partition: Partition, check: () => Promise<void>): Promise<void> {
    await this.change(partition, async (transaction) => {
      assertEmpty(partition, await countContents((statements) => transaction.run(statements), partition.id));
      const settings = query(DELETE_SETTINGS, [settingsOfPartition(partition.id)]);
      await transaction.run([query(RETIRE, [partition.id]), settings, ...forgetPartition(partition.id)]);
      await check();
    });
    await this.natives?.dropDeleted(partition.id);
  }

  async places(): Promise<readonly PartitionPlace[]> {
    const rows = (await this.select(PLACES)) as unknown as readonly PlaceRow[];
    return rows.map(([id, name, placement, state, migration]) => ({ id, name, placement, state, migration }));
  }

  place(
    partition: PartitionId,
    { placement, state, migration }: Pick<PartitionPlace, 'placement' | 'state' | 'migration'>,
  ): Promise<void> {
    return this.change({ id: partition }, async (transaction) => {
      await transaction.run([query(PLACE, [partition, placement, state, migration])]);
    });
  }

  /** Writers of the partition go on: whoever changes a home in the same database has to keep them out himself. */
  exclusively(
    partition: PartitionId,
    work: (place: PartitionPlace | undefined) => Promise<void>,
  ): Promise<void> {
    return this.connections.transaction('none', async (transaction) => {
      await transaction.run(CHANGED);
      await work((await this.places()).find(({ id }) => id === partition));
    });
  }

  async claimIds(partition: PartitionId, claims: readonly IdClaim[]): Promise<readonly IdClaim[]> {
    if (claims.length === 0) return [];
    const types = [...new Set(claims.map(({ type }) => type))].toSorted();
    const values = [
      partition,
      textArray(claims.map(({ type }) => type)),
      textArray(claims.map(({ id }) => id)),
      textArray(claims.map(({ date }) => date)),
    ];
    const [, refused] = await this.connections.write(
      [partition],
      [query(ADD_TYPES, typeValues(types)), query(CLAIM_IDS, values)],
    );
    const ordinals = new Set(refused?.rows.map(([n]) => n));
    return claims.filter((_, index) => ordinals.has(index + 1));
  }

  contents(partition: PartitionId): Promise<PartitionContents> {
    return countContents((statements) => this.connections.read([partition], statements), partition);
  }

  startPurge(partition: Partition, job: StoredJob): Promise<void> {
    return this.change(partition, async (transaction) => {
      const out = query(`update HFJ_PARTITION set PART_STATE = 'purging' where PART_ID = $1`, [partition.id]);
      await transaction.run([out, putJob(job)]);
    });
  }

  async purgeSome(partition: PartitionId, limit: number): Promise<number> {
    const dropped = (await this.natives?.drop(partition)) ?? 0;
    return dropped > 0 ? dropped : purgeSome(this.connections, partition, { limit });
  }

  async makeRoom(partition: PartitionId): Promise<void> {
    const { natives } = this;
    if (natives) await this.change({ id: partition }, (transaction) => natives.make(transaction, partition));
  }

  async leaseJob(id: string, owner: string, ms: number): Promise<boolean> {
    const [result] = await this.connections.write('none', [query(LEASE, [owner, ms, id])]);
    return result?.count === 1;
  }

  async saveJob(job: StoredJob): Promise<void> {
    await this.connections.write('none', [putJob(job)]);
  }

  async saveRunningJob({ id, state, result }: StoredJob): Promise<boolean> {
    const text = result === null ? null : JSON.stringify(result);
    const [saved] = await this.connections.write('none', [
      query(SAVE_RUNNING, [id, state, text, Date.now()]),
    ]);
    return saved?.count === 1;
  }

  async jobs(): Promise<readonly StoredJob[]> {
    const rows = (await this.select(
      `select JOB_ID, JOB_KIND, PARTITION_ID, JOB_STATE, JOB_PARAMETERS, JOB_RESULT from HFJ_JOB
        order by JOB_CREATED, JOB_ID`,
    )) as unknown as readonly JobRow[];
    return rows.map(([id, kind, partition, state, parameters, result]) => ({
      id,
      kind,
      partition,
      state,
      parameters: JSON.parse(parameters) as StoredJob['parameters'],
      result: result === null ? null : (JSON.parse(result) as StoredJob['parameters']),
    }));
  }

  private async select(sql: string): Promise<readonly (readonly unknown[])[]> {
    const [result] = await this.connections.read('none', [query(sql, [])]);
    return result?.rows ?? [];
  }

  /** One change of the directory; writers of the partition wait, and see it afterwards. */
  private async change(
    partition: Pick<Partition, 'id'>,
    work: (transaction: PgTransaction) => Promise<void>,
  ): Promise<void> {
    const change = (): Promise<void> =>
      this.connections.transaction(
        [partition.id],
        async (transaction) => {
          await transaction.run(CHANGED);
          await work(transaction);
        },
        'exclusive',
      );
    try {
      await (this.natives ? this.natives.whileBusy(change) : change());
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (!(error instanceof pg.DatabaseError && code === UNIQUE_VIOLATION)) throw error;
      throw new FhirError('PARTITION_EXISTS', 'A partition with the id or name exists already.');
    }
  }
}

const UNIQUE_VIOLATION = '23505';

function query(text: string, values: readonly PgValue[]): PgStatement {
  return { text, values };
}

async function assertFree(
  transaction: PgTransaction,
  partition: Partition,
  except?: PartitionId,
): Promise<void> {
  const [taken] = await transaction.run([
    query(
      `select PART_ID, PART_NAME from HFJ_PARTITION
        where PART_STATE <> 'deleted' and (PART_ID = $1 or lower(PART_NAME) = lower($2))`,
      [partition.id, partition.name],
    ),
  ]);
  const other = taken?.rows.find(([id]) => id !== except) as [PartitionId, string] | undefined;
  if (!other) return;
  const what = other[0] === partition.id ? `id ${partition.id}` : `name '${other[1]}'`;
  const isOnlyAlike = other[0] !== partition.id && other[1] !== partition.name;
  const code = isOnlyAlike ? 'INVALID_PARTITION' : 'PARTITION_EXISTS';
  throw new FhirError(code, `A partition with the ${what} exists already.`);
}

function putJob(job: StoredJob): PgStatement {
  const result = job.result === null ? null : JSON.stringify(job.result);
  const { id, kind, partition, state, parameters } = job;
  return query(PUT_JOB, [id, kind, partition, state, JSON.stringify(parameters), result, Date.now()]);
}
