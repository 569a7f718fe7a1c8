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
import { int4Array, int8Array, textArray } from './binary-array.js';
import type { PostgresConnections } from './connections.js';
import { refusalOf } from './database-error.js';
import { EXPORT_JOB_SQL } from './export-job-sql.js';
import type { PgResult, PgStatement, PgValue } from './statement.js';

type Name = keyof typeof EXPORT_JOB_SQL;

/** Jobs of bulk exports in PostgreSQL. */
export class PostgresExportJobs implements ExportJobStore {
  /** `partitions`: all that there may be jobs of. */
  constructor(
    private readonly connections: PostgresConnections,
    private readonly partitions: () => Promise<readonly PartitionId[]>,
  ) {}

  /** A purge that begins meanwhile waits, and then finds the job. */
  async create({ id, partition, owner, request, created }: NewExportJob, most: number): Promise<boolean> {
    const statements = [
      statement('lockJobs', [partition]),
      statement('create', [partition, id, owner, request, created, most]),
    ];
    try {
      const [, made] = await this.connections.write([partition], statements, 'shared');
      return made?.count === 1;
    } catch (error) {
      if (refusalOf(error)?.kind !== 'gone') throw error;
      throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.', { cause: error });
    }
  }

  async countOpen(partition: PartitionId): Promise<number> {
    const [row] = await this.read([partition], 'countOpen', [partition]);
    return row?.[0] as number;
  }

  async find({ partitions }: PartitionScope, id: string): Promise<ExportJob | undefined> {
    const [row] = await this.read(partitions, 'find', [int4Array(partitions), id]);
    return row && toJob(row as unknown as JobRow);
  }

  async files({ partitions }: PartitionScope, id: string): Promise<readonly ExportFile[]> {
    const rows = await this.read(partitions, 'files', [int4Array(partitions), id]);
    return (rows as unknown as readonly FileRow[]).map(toFile);
  }

  async claim(owner: string, leaseMs: number): Promise<ExportClaim | undefined> {
    const all = await this.partitions();
    const { rows } = await this.write(all, 'claim', [int4Array(all), owner, leaseMs]);
    return rows[0] && toClaim(rows[0] as unknown as JobRow);
  }

  async hasDue(): Promise<boolean> {
    const all = await this.partitions();
    return (await this.read(all, 'due', [int4Array(all)])).length > 0;
  }

  renew(claim: ExportClaim, leaseMs: number): Promise<boolean> {
    return this.change(claim, 'renew', [leaseMs]);
  }

  saveFrozen(claim: ExportClaim, at: number, progress: string): Promise<boolean> {
    return this.change(claim, 'saveFrozen', [at, progress]);
  }

  clearMatches(claim: ExportClaim): Promise<boolean> {
    return this.changeHanging(claim, 'clearMatches', []);
  }

  addMatches(claim: ExportClaim, lists: readonly MatchList[]): Promise<boolean> {
    return this.changeHanging(claim, 'addMatches', [
      textArray(lists.map(({ list }) => list)),
      int4Array(lists.flatMap(({ rowIds }, at) => rowIds.map(() => at + 1))),
      int8Array(lists.flatMap(({ rowIds }) => rowIds)),
    ]);
  }

  async matches(
    { job: { partition, id } }: ExportClaim,
    type: string,
    after: number,
    limit: number,
  ): Promise<readonly number[]> {
    const rows = await this.read([partition], 'matches', [partition, id, type, after, limit]);
    return rows.map(([rowId]) => rowId as number);
  }

  async countMatches({ job: { partition, id } }: ExportClaim, type: string): Promise<number> {
    const [row] = await this.read([partition], 'countMatches', [partition, id, type]);
    return row?.[0] as number;
  }

  saveProgress(claim: ExportClaim, files: readonly ExportFile[], progress: string): Promise<boolean> {
    return this.changeHanging(claim, 'saveProgress', [progress, ...fileArrays(files)]);
  }

  release(claim: ExportClaim, dueAt: number, attempt: 'kept' | 'taken back'): Promise<boolean> {
    return this.change(claim, 'release', [dueAt, attempt === 'taken back' ? 1 : 0]);
  }

  end(claim: ExportClaim, outcome: ExportOutcome): Promise<boolean> {
    return outcome.state === 'failed'
      ? this.change(claim, 'fail', [outcome.error])
      : this.changeHanging(claim, 'complete', [outcome.progress, ...fileArrays(outcome.files)]);
  }

  async cancel({ partitions }: PartitionScope, id: string): Promise<boolean> {
    return (await this.write(partitions, 'cancel', [int4Array(partitions), id])).count === 1;
  }

  async removable(before: number, limit: number): Promise<readonly ExportJob[]> {
    const all = await this.partitions();
    const rows = await this.read(all, 'removable', [int4Array(all), before, limit]);
    return (rows as unknown as readonly JobRow[]).map(toJob);
  }

  async remove({ partition, id }: Pick<ExportJob, 'id' | 'partition'>): Promise<void> {
    while ((await this.write([partition], 'removeMatches', [partition, id, MATCHES_AT_ONCE])).count > 0);
    await this.write([partition], 'removeJob', [partition, id]);
  }

  async cancelAll(partition: PartitionId): Promise<void> {
    await this.write([partition], 'cancelAll', [partition]);
  }

  async ids(partition: PartitionId): Promise<ReadonlySet<string>> {
    const rows = await this.read([partition], 'ids', [partition]);
    return new Set(rows.map(([id]) => id as string));
  }

  private async read(
    scope: readonly PartitionId[],
    name: Name,
    values: readonly PgValue[],
  ): Promise<readonly (readonly unknown[])[]> {
    const [result] = await this.connections.read(scope, [statement(name, values)]);
    return result?.rows ?? [];
  }

  private async write(
    scope: readonly PartitionId[],
    name: Name,
    values: readonly PgValue[],
  ): Promise<PgResult> {
    const [result] = await this.connections.write(scope, [statement(name, values)]);
    return result ?? { rows: [], count: 0 };
  }

  /** Changes the job's own row. */
  private async change(
    { job: { partition, id }, token }: ExportClaim,
    name: Name,
    values: readonly PgValue[],
  ): Promise<boolean> {
    return (await this.write([partition], name, [partition, id, token, ...values])).count === 1;
  }

  /** Changes what hangs on the job, by a statement that answers whether the claim holds. */
  private async changeHanging(
    { job: { partition, id }, token }: ExportClaim,
    name: Name,
    values: readonly PgValue[],
  ): Promise<boolean> {
    const { rows } = await this.write([partition], name, [partition, id, token, ...values]);
    return rows[0]?.[0] === 1;
  }
}

function statement(name: Name, values: readonly PgValue[]): PgStatement {
  return { text: EXPORT_JOB_SQL[name], values };
}

function fileArrays(files: readonly ExportFile[]): readonly PgValue[] {
  return [
    textArray(files.map(({ kind }) => kind)),
    textArray(files.map(({ type }) => type)),
    int4Array(files.map(({ part }) => part)),
    textArray(files.map(({ key }) => key)),
    int8Array(files.map(({ bytes }) => bytes)),
    int8Array(files.map(({ count }) => count)),
  ];
}
