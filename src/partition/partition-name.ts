import { isResourceType } from '../fhir/definitions.js';
import { ALL_PARTITIONS_NAME, DEFAULT_PARTITION_NAME } from '../model/partition.js';
import { FhirError } from '../model/errors.js';

const SYNTAX = /^[A-Za-z0-9_-]{1,200}$/;
const RESERVED = new Set(
  [DEFAULT_PARTITION_NAME, ALL_PARTITIONS_NAME, 'metadata'].map((name) => name.toUpperCase()),
);
const MAX_ID = 2 ** 31 - 1;
const MIN_ID = -(2 ** 31);

/**
 * Refuses names that a URL could not tell from something else.
 * @throws FhirError INVALID_PARTITION
 */
export function assertPartitionName(name: string): void {
  if (!SYNTAX.test(name)) {
    throw invalid(
      `Partition name '${name.slice(0, 80)}' must be 1 to 200 characters of A-Z a-z 0-9 _ and -.`,
    );
  }
  if (name.startsWith('_') || RESERVED.has(name.toUpperCase()) || isResourceType(name)) {
    throw invalid(`Partition name '${name}' is reserved.`);
  }
}

/** @throws FhirError INVALID_PARTITION unless the id is a 32-bit integer other than 0. */
export function assertPartitionId(id: number): void {
  if (Number.isInteger(id) && id >= MIN_ID && id <= MAX_ID && id !== 0) return;
  throw invalid(`Partition id ${id} must be a 32-bit integer other than 0.`);
}

function invalid(message: string): FhirError {
  return new FhirError('INVALID_PARTITION', message);
}
