import type { PartitionId } from '../../model/partition.js';
import type { ExportClaim, ExportFile, ExportJob, ExportState } from '../export-store.js';

/** Columns of a job, in the order of JobRow. */
export const JOB_COLUMNS = [
  'PARTITION_ID',
  'JOB_ID',
  'JOB_STATE',
  'JOB_CLIENT',
  'JOB_REQUEST',
  'JOB_CREATED',
  'JOB_AT',
  'JOB_PROGRESS',
  'JOB_ERROR',
  'JOB_ATTEMPTS',
  'JOB_ENDED',
  'JOB_TOKEN',
] as const;

/** A job as it stands in a row. */
export type JobRow = readonly [
  partition: PartitionId,
  id: string,
  state: ExportState,
  owner: string | null,
  request: string,
  created: number,
  at: number | null,
  progress: string | null,
  error: string | null,
  attempts: number,
  ended: number | null,
  token: number,
];

/** Columns of a file, in the order of FileRow. */
export const FILE_COLUMNS = [
  'FILE_KIND',
  'RES_TYPE',
  'FILE_PART',
  'FILE_KEY',
  'FILE_BYTES',
  'FILE_LINES',
] as const;

export type FileRow = readonly [
  kind: ExportFile['kind'],
  type: string,
  part: number,
  key: string,
  bytes: number,
  count: number,
];

/** Rows of a list that are deleted by one transaction. */
export const MATCHES_AT_ONCE = 10_000;

export function toJob(row: JobRow): ExportJob {
  const [partition, id, state, owner, request, created, at, progress, error, attempts, ended] = row;
  return { partition, id, state, owner, request, created, at, progress, error, attempts, ended };
}

export function toClaim(row: JobRow): ExportClaim {
  return { job: toJob(row), token: row[11] };
}

export function toFile([kind, type, part, key, bytes, count]: FileRow): ExportFile {
  return { kind, type, part, key, bytes, count };
}
