import { FhirError } from '../../../model/errors.js';
import type { Partition, PartitionId } from '../../../model/partition.js';
import type { PartitionContents, PartitionRegistry, StoredJob } from '../../store.js';
import type { PartitionedTable } from '../tables.js';
import type { SqliteDatabase } from './open.js';
import type { WriteQueue } from './write-queue.js';

/** Partitioned tables with their keys, in the order in which a purge empties them: resources go last. */
const PURGE_KEYS = {
  HFJ_SPIDX_TOKEN: 'PARAM_ID, SP_VALUE, SYS_ID, RES_ID',
  HFJ_SPIDX_STRING: 'PARAM_ID, SP_NORM, SP_EXACT, RES_ID',
  HFJ_SPIDX_DATE: 'PARAM_ID, SP_LOW, SP_HIGH, RES_ID',
  HFJ_SPIDX_NUMBER: 'PARAM_ID, SP_VALUE, RES_ID',
  HFJ_SPIDX_QUANTITY: 'PARAM_ID, SP_VALUE, SYS_ID, SP_CODE, SP_UNIT, RES_ID',
  HFJ_SPIDX_URI: 'PARAM_ID, SP_VALUE, RES_ID',
  HFJ_RES_LINK: 'PARAM_ID, TARGET_RES_ID, TARGET_URL, RES_ID',
  HFJ_RES_SEARCH_URL: 'RES_TYPE_ID, RES_SEARCH_URL',
  HFJ_RES_ID_CLAIM: 'RES_TYPE_ID, FHIR_ID',
  HFJ_BINARY_CHUNK: 'BLOB_ID, CHUNK_NO',
  HFJ_BINARY_STAGE: 'BLOB_ID',
  HFJ_RES_VER: 'RES_ID, RES_VER',
  HFJ_RESOURCE: 'RES_ID',
} as const satisfies Record<PartitionedTable, string>;

const CREATE = `insert into HFJ_PARTITION (PART_ID, PART_NAME, PART_DESC) values (?, ?, ?)
  on conflict (PART_ID) do update
    set PART_NAME = excluded.PART_NAME, PART_DESC = excluded.PART_DESC, PART_STATE = 'active'`;

const ADOPT = `insert into HFJ_PARTITION (PART_ID, PART_NAME) values (?, ?)
  on conflict (PART_ID) do update set PART_NAME = excluded.PART_NAME, PART_STATE = 'active'
    where PART_STATE = 'deleted'
  on conflict do nothing`;

/**
 * The id stays known, under a name that none can have: given to another partition by itself, it would take what
 * other processes, page links and jobs still mean for the one before.
 */
const RETIRE = `update HFJ_PARTITION set PART_NAME = '#' || PART_ID, PART_DESC = null, PART_STATE = 'deleted'
  where PART_ID = ?`;

type JobRow = readonly [string, string, PartitionId, StoredJob['state'], string, string | null];
type PartitionRow = readonly [PartitionId, string, string | null];

/** Partitions and their jobs in SQLite. Changes go through the write queue, one transaction each. */
export class SqlitePartitions implements PartitionRegistry {
  constructor(
    private readonly db: SqliteDatabase,
    private readonly queue: WriteQueue,
  ) {}

  async list(): Promise<readonly Partition[]> {
    const rows = this.db
      .prepare(
        `select PART_ID, PART_NAME, PART_DESC from HFJ_PARTITION where PART_STATE = 'active' order by PART_ID`,
      )
      .raw()
      .all() as PartitionRow[];
    return rows.map(([id, name, description]) => ({
      id,
      name,
      ...(description === null ? {} : { description }),
    }));
  }

  async takenIds(): Promise<ReadonlySet<PartitionId>> {
    return new Set(this.db.prepare('select PART_ID from HFJ_PARTITION').pluck().all() as PartitionId[]);
  }

  create(partition: Partition, check: () => Promise<void>): Promise<void> {
    return this.queue.transaction(async (db) => {
      this.assertFree(db, partition);
      db.prepare(CREATE).run(partition.id, partition.name, partition.description ?? null);
      await check();
    });
  }

  adopt({ id, name }: Partition): Promise<void> {
    return this.queue.transaction((db) => {
      db.prepare(ADOPT).run(id, name);
    });
  }

  update(partition: Partition): Promise<void> {
    return this.queue.transaction((db) => {
      this.assertFree(db, partition, partition.id);
      db.prepare('update HFJ_PARTITION set PART_NAME = ?, PART_DESC = ? where PART_ID = ?').run(
        partition.name,
        partition.description ?? null,
        partition.id,
      );
    });
  }

  delete(partition: Partition, check: () => Promise<void>): Promise<void> {
    return this.queue.transaction(async (db) => {
      const contents = countContents(db, partition.id);
      if (!isEmpty(contents)) throw notEmpty(partition, contents);
      db.prepare(RETIRE).run(partition.id);
      await check();
    });
  }

  async contents(partition: PartitionId): Promise<PartitionContents> {
    return countContents(this.db, partition);
  }

  startPurge(partition: Partition, job: StoredJob): Promise<void> {
    return this.queue.transaction((db) => {
      db.prepare(`update HFJ_PARTITION set PART_STATE = 'purging' where PART_ID = ?`).run(partition.id);
      putJob(db, job);
    });
  }

  purgeSome(partition: PartitionId, limit: number): Promise<number> {
    return this.queue.transaction((db) => {
      for (const [table, key] of Object.entries(PURGE_KEYS)) {
        const sql = `delete from ${table} where PARTITION_ID = ? and (${key}) in
          (select ${key} from ${table} where PARTITION_ID = ? limit ?)`;
        const { changes } = db.prepare(sql).run(partition, partition, limit);
        if (changes > 0) return changes;
      }
      return 0;
    });
  }

  saveJob(job: StoredJob): Promise<void> {
    return this.queue.transaction((db) => putJob(db, job));
  }

  async jobs(): Promise<readonly StoredJob[]> {
    const sql = `select JOB_ID, JOB_KIND, PARTITION_ID, JOB_STATE, JOB_PARAMETERS, JOB_RESULT from HFJ_JOB
      order by JOB_CREATED, JOB_ID`;
    return (this.db.prepare(sql).raw().all() as JobRow[]).map(
      ([id, kind, partition, state, parameters, result]) => ({
        id,
        kind,
        partition,
        state,
        parameters: JSON.parse(parameters) as StoredJob['parameters'],
        result: result === null ? null : (JSON.parse(result) as StoredJob['parameters']),
      }),
    );
  }

  private assertFree(db: SqliteDatabase, partition: Partition, except?: PartitionId): void {
    const taken = db
      .prepare(
        `select PART_ID, PART_NAME from HFJ_PARTITION
          where PART_STATE <> 'deleted' and (PART_ID = ? or PART_NAME = ? collate nocase)`,
      )
      .raw()
      .all(partition.id, partition.name) as [PartitionId, string][];
    const other = taken.find(([id]) => id !== except);
    if (!other) return;
    const what = other[0] === partition.id ? `id ${partition.id}` : `name '${other[1]}'`;
    const isOnlyAlike = other[0] !== partition.id && other[1] !== partition.name;
    const code = isOnlyAlike ? 'INVALID_PARTITION' : 'PARTITION_EXISTS';
    throw new FhirError(code, `A partition with the ${what} exists already.`);
  }
}

function putJob(db: SqliteDatabase, job: StoredJob): void {
  const now = Date.now();
  db.prepare(
    `insert into HFJ_JOB
      (JOB_ID, JOB_KIND, PARTITION_ID, JOB_STATE, JOB_PARAMETERS, JOB_RESULT, JOB_CREATED, JOB_UPDATED)
      values (?, ?, ?, ?, ?, ?, ?, ?)
      on conflict (JOB_ID) do update set
        JOB_STATE = excluded.JOB_STATE, JOB_RESULT = excluded.JOB_RESULT, JOB_UPDATED = excluded.JOB_UPDATED`,
  ).run(
    job.id,
    job.kind,
    job.partition,
    job.state,
    JSON.stringify(job.parameters),
    job.result === null ? null : JSON.stringify(job.result),
    now,
    now,
  );
}

function countContents(db: SqliteDatabase, partition: PartitionId): PartitionContents {
  const count = (table: string): number =>
    db.prepare(`select count(*) from ${table} where PARTITION_ID = ?`).pluck().get(partition) as number;
  const { HFJ_RESOURCE: _resources, HFJ_RES_VER: _versions, ...indexes } = PURGE_KEYS;
  return {
    resources: count('HFJ_RESOURCE'),
    versions: count('HFJ_RES_VER'),
    indexRows: Object.keys(indexes).reduce((sum, table) => sum + count(table), 0),
  };
}

function isEmpty(contents: PartitionContents): boolean {
  return contents.resources + contents.versions + contents.indexRows === 0;
}

function notEmpty(partition: Partition, contents: PartitionContents): FhirError {
  const { resources, versions, indexRows } = contents;
  const held = `${resources} resources, ${versions} superseded versions and ${indexRows} index rows`;
  return new FhirError('PARTITION_NOT_EMPTY', `Partition '${partition.name}' still holds ${held}.`);
}
