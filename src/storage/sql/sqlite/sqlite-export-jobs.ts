import type { Statement } from 'better-sqlite3';
import { FhirError } from '../../../model/errors.js';
import type { PartitionId, PartitionScope } from '../../../model/partition.js';
import type {
  ExportClaim,
  ExportFile,
  ExportJob,
  ExportJobStore,
  ExportOutcome,
  MatchList,
  NewExportJob,
} from '../../export-store.js';
import { type FileRow, type JobRow, MATCHES_AT_ONCE, toClaim, toFile, toJob } from '../export-job-rows.js';
import type { SqlValue } from '../sql-reader.js';
import { EXPORT_JOB_SQL } from './export-job-sql.js';
import type { SqliteDatabase } from './open.js';
import type { WriteQueue } from './write-queue.js';

type Name = keyof typeof EXPORT_JOB_SQL;
type Values = Readonly<Record<string, SqlValue>>;
type JobKey = Pick<ExportJob, 'id' | 'partition'>;

/** Jobs of bulk exports in SQLite: there is one writer at a time. */
export class SqliteExportJobs implements ExportJobStore {
  constructor(
    private readonly db: SqliteDatabase,
    private readonly queue: Pick<WriteQueue, 'transaction' | 'lateTransaction'>,
  ) {}

  create({ id, partition, owner, request, created }: NewExportJob, most: number): Promise<boolean> {
    return this.queue.transaction((db) => {
      const isInService = get(db, 'isInService', { partition }) !== undefined;
      if (!isInService) throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
      const [open] = get(db, 'countOpen', { partition }) as [number];
      if (open >= most) return false;
      run(db, 'create', { id, partition, owner, request, created });
      return true;
    });
  }

  async countOpen(partition: PartitionId): Promise<number> {
    return (get(this.db, 'countOpen', { partition }) as [number])[0];
  }

  async find({ partitions }: PartitionScope, id: string): Promise<ExportJob | undefined> {
    const row = get(this.db, 'find', { partitions: JSON.stringify(partitions), id });
    return row && toJob(row as unknown as JobRow);
  }

  async files({ partitions }: PartitionScope, id: string): Promise<readonly ExportFile[]> {
    const rows = all(this.db, 'files', { partitions: JSON.stringify(partitions), id });
    return (rows as unknown as readonly FileRow[]).map(toFile);
  }

  /** Who finds nothing to do need not wait for those who write. */
  async claim(owner: string, leaseMs: number): Promise<ExportClaim | undefined> {
    if (!(await this.hasDue())) return undefined;
    return this.queue.transaction((db) => {
      const now = Date.now();
      const next = get(db, 'nextDue', { now }) as [PartitionId, string] | undefined;
      if (next === undefined) return undefined;
      const [partition, id] = next;
      run(db, 'claim', { partition, id, owner, now, until: now + leaseMs });
      return toClaim(get(db, 'one', { partition, id }) as unknown as JobRow);
    });
  }

  async hasDue(): Promise<boolean> {
    return get(this.db, 'nextDue', { now: Date.now() }) !== undefined;
  }

  renew(claim: ExportClaim, leaseMs: number): Promise<boolean> {
    const values = { ...keyOf(claim), until: Date.now() + leaseMs };
    return this.queue.lateTransaction((db) => run(db, 'renew', values) === 1);
  }

  saveFrozen(claim: ExportClaim, at: number, progress: string): Promise<boolean> {
    return this.change('saveFrozen', { ...keyOf(claim), at, progress });
  }

  clearMatches(claim: ExportClaim): Promise<boolean> {
    return this.whileHeld(claim, (db, { partition, id }) => run(db, 'clearMatches', { partition, id }));
  }

  /** What is lost with the power is made anew: the job is frozen by a later commit. */
  async addMatches(claim: ExportClaim, lists: readonly MatchList[]): Promise<boolean> {
    const { partition, id, token } = keyOf(claim);
    for (const part of partsOf(lists)) {
      const isHeld = await this.queue.lateTransaction((db) => {
        if (get(db, 'isHeld', { partition, id, token }) === undefined) return false;
        run(db, 'addMatches', { partition, id, lists: JSON.stringify(part) });
        return true;
      });
      if (!isHeld) return false;
    }
    return true;
  }

  async matches(
    { job: { partition, id } }: ExportClaim,
    type: string,
    after: number,
    limit: number,
  ): Promise<readonly number[]> {
    const rows = all(this.db, 'matches', { partition, id, type, after, limit });
    return rows.map(([rowId]) => rowId as number);
  }

  async countMatches({ job: { partition, id } }: ExportClaim, type: string): Promise<number> {
    return get(this.db, 'countMatches', { partition, id, type })?.[0] as number;
  }

  saveProgress(claim: ExportClaim, files: readonly ExportFile[], progress: string): Promise<boolean> {
    return this.whileHeld(claim, (db, key) => {
      run(db, 'saveProgress', { ...key, progress });
      saveFiles(db, key, files);
    });
  }

  release(claim: ExportClaim, dueAt: number, attempt: 'kept' | 'taken back'): Promise<boolean> {
    const takenBack = attempt === 'taken back' ? 1 : 0;
    return this.change('release', { ...keyOf(claim), due: dueAt, now: Date.now(), takenBack });
  }

  end(claim: ExportClaim, outcome: ExportOutcome): Promise<boolean> {
    return this.whileHeld(claim, (db, key) => {
      const now = Date.now();
      if (outcome.state === 'failed') run(db, 'fail', { ...key, now, error: outcome.error });
      else {
        run(db, 'complete', { ...key, now, progress: outcome.progress });
        saveFiles(db, key, outcome.files);
      }
    });
  }

  cancel({ partitions }: PartitionScope, id: string): Promise<boolean> {
    return this.change('cancel', { partitions: JSON.stringify(partitions), id, now: Date.now() });
  }

  async removable(before: number, limit: number): Promise<readonly ExportJob[]> {
    const rows = all(this.db, 'removable', { before, limit });
    return (rows as unknown as readonly JobRow[]).map(toJob);
  }

  async remove({ partition, id }: JobKey): Promise<void> {
    const key = { partition, id };
    let isDone = false;
    while (!isDone) {
      isDone = await this.queue.transaction((db) => {
        if (get(db, 'hasEnded', key) === undefined) return true;
        if (run(db, 'removeMatches', { ...key, limit: MATCHES_AT_ONCE }) > 0) return false;
        run(db, 'removeFiles', key);
        run(db, 'removeJob', key);
        return true;
      });
    }
  }

  async cancelAll(partition: PartitionId): Promise<void> {
    await this.change('cancelAll', { partition, now: Date.now() });
  }

  async ids(partition: PartitionId): Promise<ReadonlySet<string>> {
    return new Set(all(this.db, 'ids', { partition }).map(([id]) => id as string));
  }

  private change(name: Name, values: Values): Promise<boolean> {
    return this.queue.transaction((db) => run(db, name, values) > 0);
  }

  private whileHeld(
    claim: ExportClaim,
    work: (db: SqliteDatabase, key: ReturnType<typeof keyOf>) => unknown,
  ): Promise<boolean> {
    const key = keyOf(claim);
    return this.queue.transaction((db) => {
      if (get(db, 'isHeld', key) === undefined) return false;
      work(db, key);
      return true;
    });
  }
}

function keyOf({ job: { partition, id }, token }: ExportClaim) {
  return { partition, id, token };
}

/** Rows of lists that are added in one turn of the event loop. */
const ADDED_AT_ONCE = 1_000;

/** The lists as pairs, as many in each part as are added at once. */
function* partsOf(lists: readonly MatchList[]): Iterable<readonly [string, readonly number[]][]> {
  let part: [string, readonly number[]][] = [];
  let room = ADDED_AT_ONCE;
  for (const { list, rowIds } of lists) {
    for (let at = 0; at < rowIds.length;) {
      const added = rowIds.slice(at, at + room);
      part.push([list, added]);
      at += added.length;
      room -= added.length;
      if (room > 0) continue;
      yield part;
      part = [];
      room = ADDED_AT_ONCE;
    }
  }
  if (part.length > 0) yield part;
}

function saveFiles(db: SqliteDatabase, { partition, id }: JobKey, files: readonly ExportFile[]): void {
  for (const file of files) run(db, 'saveFile', { partition, id, ...file });
}

function get(db: SqliteDatabase, name: Name, values: Values): readonly unknown[] | undefined {
  return prepared(db, name).raw().get(values) as readonly unknown[] | undefined;
}

function all(db: SqliteDatabase, name: Name, values: Values): readonly (readonly unknown[])[] {
  return prepared(db, name).raw().all(values) as unknown[][];
}

/** Answers how many rows were changed. */
function run(db: SqliteDatabase, name: Name, values: Values): number {
  return prepared(db, name).run(values).changes;
}

const statements = new WeakMap<SqliteDatabase, Map<Name, Statement>>();

/** To prepare one of them takes as long as it runs. */
function prepared(db: SqliteDatabase, name: Name): Statement {
  const known = statements.get(db) ?? new Map<Name, Statement>();
  statements.set(db, known);
  const statement = known.get(name) ?? db.prepare(EXPORT_JOB_SQL[name]);
  known.set(name, statement);
  return statement;
}
