import { FhirError } from '../../../model/errors.js';
import type { Partition, PartitionId, Placement } from '../../../model/partition.js';
import { toStoredDate } from '../../partition-date.js';
import { assertEmpty } from '../../placement/placed-registry.js';
import type { IdClaim, MainRegistry, PartitionPlace } from '../../placement/home.js';
import { settingsOfPartition } from '../../partition-setting.js';
import type { PartitionContents, StoredJob } from '../../store.js';
import { knownMigrations } from '../migrate.js';
import { typeIdOf } from '../type-ids.js';
import type { SqliteDatabase } from './open.js';
import { countContents, forgetPartition } from './purge.js';
import { ADD_TYPE } from './sqlite-dictionary.js';
import { WordMerges } from './word-merges.js';
import type { WriteQueue } from './write-queue.js';

const CREATE = `insert into HFJ_PARTITION (PART_ID, PART_NAME, PART_DESC, PART_STATE, PART_PLACEMENT, PART_MIGRATION)
  values (?, ?, ?, ?, ?, ?)
  on conflict (PART_ID) do update
    set PART_NAME = excluded.PART_NAME, PART_DESC = excluded.PART_DESC, PART_STATE = excluded.PART_STATE,
      PART_PLACEMENT = excluded.PART_PLACEMENT, PART_MIGRATION = excluded.PART_MIGRATION`;

const ADOPT = `insert into HFJ_PARTITION (PART_ID, PART_NAME) values (?, ?)
  on conflict (PART_ID) do update
    set PART_NAME = excluded.PART_NAME, PART_STATE = 'active', PART_PLACEMENT = 'shared', PART_MIGRATION = null
    where PART_STATE = 'deleted'
  on conflict do nothing`;

/**
 * The id stays known, under a name that none can have: given to another partition by itself, it would take what
 * other processes, page links and jobs still mean for the one before.
 */
const RETIRE = `update HFJ_PARTITION set PART_NAME = '#' || PART_ID, PART_DESC = null, PART_STATE = 'deleted'
  where PART_ID = ?`;

const DELETE_SETTINGS = 'delete from HFJ_SETTING where instr(SETTING_KEY, ?) > 0';

const PLACES = `select PART_ID, PART_NAME, PART_PLACEMENT, PART_STATE, PART_MIGRATION from HFJ_PARTITION
  where PART_STATE <> 'deleted' order by PART_ID`;

const PLACE = `update HFJ_PARTITION set PART_PLACEMENT = ?, PART_STATE = ?, PART_MIGRATION = ? where PART_ID = ?`;

const CLAIM = `insert into HFJ_RES_ID_CLAIM (RES_TYPE_ID, FHIR_ID, PARTITION_ID, PARTITION_DATE)
  select RES_TYPE_ID, @id, @partition, @date from HFJ_RES_TYPE where RES_TYPE = @type on conflict do nothing`;
/** Who has claimed an id may claim it again. */
const OWN_CLAIM = `select 1 from HFJ_RES_ID_CLAIM where PARTITION_ID = @partition
  and RES_TYPE_ID = (select RES_TYPE_ID from HFJ_RES_TYPE where RES_TYPE = @type) and FHIR_ID = @id`;

const LEASE = `update HFJ_JOB set JOB_OWNER = @owner, JOB_LEASE = @until
  where JOB_ID = @id and JOB_STATE = 'running'
    and (JOB_OWNER is null or JOB_OWNER = @owner or JOB_LEASE < @now)`;

const SAVE_RUNNING = `update HFJ_JOB set JOB_STATE = ?, JOB_RESULT = ?, JOB_UPDATED = ?
  where JOB_ID = ? and JOB_STATE = 'running'`;

type PlaceRow = readonly [
  PartitionId,
  string,
  PartitionPlace['placement'],
  PartitionPlace['state'],
  string | null,
];
type JobRow = readonly [string, string, PartitionId, StoredJob['state'], string, string | null];
type PartitionRow = readonly [PartitionId, string, string | null, Placement];

/** What a home that was just made has applied. */
const LATEST = knownMigrations().at(-1);

/** Partitions and their jobs in SQLite. Changes go through the write queue, one transaction each. */
export class SqlitePartitions implements MainRegistry {
  private readonly merges = new WordMerges();

  constructor(
    private readonly db: SqliteDatabase,
    private readonly queue: WriteQueue,
  ) {}

  async list(): Promise<readonly Partition[]> {
    const rows = this.db
      .prepare(
        `select PART_ID, PART_NAME, PART_DESC, PART_PLACEMENT from HFJ_PARTITION
          where PART_STATE in ('active', 'placed', 'moving') order by PART_ID`,
      )
      .raw()
      .all() as PartitionRow[];
    return rows.map(([id, name, description, placement]) => ({
      id,
      name,
      ...(description === null ? {} : { description }),
      ...(placement === 'shared' ? {} : { placement }),
    }));
  }

  async takenIds(): Promise<ReadonlySet<PartitionId>> {
    return new Set(this.db.prepare('select PART_ID from HFJ_PARTITION').pluck().all() as PartitionId[]);
  }

  create(partition: Partition, check: () => Promise<void>): Promise<void> {
    return this.queue.transaction(async (db) => {
      this.assertFree(db, partition);
      const { id, name, description = null, placement = 'shared' } = partition;
      const place = placement === 'shared' ? ['active', placement, null] : ['placed', placement, LATEST];
      db.prepare(CREATE).run(id, name, description, ...place);
      // Whoever wrote to a partition that had the id before may have been late.
      db.prepare(DELETE_SETTINGS).run(settingsOfPartition(id));
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
      assertEmpty(partition, countContents(db, partition.id));
      db.prepare(RETIRE).run(partition.id);
      db.prepare(DELETE_SETTINGS).run(settingsOfPartition(partition.id));
      forgetPartition(db, partition.id);
      await check();
    });
  }

  async places(): Promise<readonly PartitionPlace[]> {
    const rows = this.db.prepare(PLACES).raw().all() as PlaceRow[];
    return rows.map(([id, name, placement, state, migration]) => ({ id, name, placement, state, migration }));
  }

  place(
    partition: PartitionId,
    { placement, state, migration }: Pick<PartitionPlace, 'placement' | 'state' | 'migration'>,
  ): Promise<void> {
    return this.queue.transaction((db) => {
      db.prepare(PLACE).run(placement, state, migration, partition);
    });
  }

  exclusively(
    partition: PartitionId,
    work: (place: PartitionPlace | undefined) => Promise<void>,
  ): Promise<void> {
    return this.queue.transaction(async () => work((await this.places()).find(({ id }) => id === partition)));
  }

  /** All shared partitions are in the same tables. */
  async makeRoom(): Promise<void> {
    return undefined;
  }

  leaseJob(id: string, owner: string, ms: number): Promise<boolean> {
    const now = Date.now();
    return this.queue.transaction(
      (db) => db.prepare(LEASE).run({ id, owner, now, until: now + ms }).changes === 1,
    );
  }

  claimIds(partition: PartitionId, claims: readonly IdClaim[]): Promise<readonly IdClaim[]> {
    return this.queue.transaction((db) =>
      claims.filter(({ type, id, date }) => {
        db.prepare(ADD_TYPE).run({ id: typeIdOf(type), name: type });
        const claimed =
          db.prepare(CLAIM).run({ type, id, partition, date: toStoredDate(date) }).changes === 1;
        return !claimed && db.prepare(OWN_CLAIM).get({ type, id, partition }) === undefined;
      }),
    );
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
    return this.queue.transaction((db) => this.merges.purgeSome(db, partition, { limit }));
  }

  saveJob(job: StoredJob): Promise<void> {
    return this.queue.transaction((db) => putJob(db, job));
  }

  saveRunningJob({ id, state, result }: StoredJob): Promise<boolean> {
    const text = result === null ? null : JSON.stringify(result);
    return this.queue.transaction(
      (db) => db.prepare(SAVE_RUNNING).run(state, text, Date.now(), id).changes === 1,
    );
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
