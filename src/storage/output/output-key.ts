import type { PartitionId } from '../../model/partition.js';
import { jobPrefix } from '../output-store.js';

/** The parts of a key: `p<partition>/exports/<job>/<name>`. */
export interface OutputKey {
  readonly partition: PartitionId;
  readonly job: string;
  readonly name: string;
}

const JOB = '[A-Za-z0-9-]{1,64}';
const PREFIX = `p-?\\d{1,10}/exports/${JOB}/`;
const KEYS = new RegExp(`^${PREFIX}[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`);
const PREFIXES = new RegExp(`^${PREFIX}$`);
const PARTITIONS = /^p(-?\d{1,10})$/;
const JOBS = new RegExp(`^${JOB}$`);

/**
 * Takes a key apart. No key leads anywhere but into the folder of one job: it has exactly four segments, and a name
 * does not begin with a dot, which is for what a store keeps there itself.
 * @throws Error for any other text
 */
export function parseOutputKey(key: string): OutputKey {
  if (!isOutputKey(key)) throw new Error(`${JSON.stringify(key)} is no key of an export's file.`);
  const [partition = '', , job = '', name = ''] = key.split('/');
  return { partition: Number(partition.slice(1)) as PartitionId, job, name };
}

/** Whether it is a key, and not what a store keeps beside the files. */
export function isOutputKey(text: string): boolean {
  return KEYS.test(text);
}

/** The prefix of a job's keys. @throws Error where the job's id could lead elsewhere */
export function checkedJobPrefix(partition: PartitionId, job: string): string {
  const prefix = jobPrefix(partition, job);
  if (!PREFIXES.test(prefix)) throw new Error(`${JSON.stringify(prefix)} is no prefix of an export's files.`);
  return prefix;
}

/** The partition that a first segment of keys is of; undefined where it is of none. */
export function partitionOfSegment(segment: string): PartitionId | undefined {
  const [, id] = PARTITIONS.exec(segment) ?? [];
  return id === undefined ? undefined : (Number(id) as PartitionId);
}

/** Whether a third segment of keys can be a job's. */
export function isJobSegment(segment: string): boolean {
  return JOBS.test(segment);
}
