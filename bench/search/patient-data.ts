import type { Resource } from '../../src/model/resource.js';
import { generateRecord } from '../generated-patients.js';
import { postOne } from '../throughput.js';

/** Resources of one generated patient. */
export const RECORD_SIZE = generateRecord(0).length;

/** Transactions that are under way at once. */
const CONCURRENCY = 4;

/** The partition that a patient is in, where there are so many. */
export function partitionOf(patient: number, partitions: number): string {
  return `p${patient % partitions}`;
}

/** The id of the first resource of a type in the record of a patient. */
export function idOf(patient: number, type: string): string {
  return generateRecord(patient).find(({ resourceType }) => resourceType === type)!.id!;
}

/** Stores patients with all that belongs to them, one transaction each, spread over the partitions. */
export async function storePatients(base: string, patients: number, partitions: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < patients) {
      const patient = next++;
      await postOne(`${base}/${partitionOf(patient, partitions)}`, transactionOf(generateRecord(patient)));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** Under the ids that the record has, so that a search knows what to ask for. */
function transactionOf(record: readonly Resource[]): string {
  const entry = record.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const types = new Map(record.map(({ id, resourceType }) => [id, resourceType]));
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }).replace(
    /urn:uuid:([0-9a-f-]+)/g,
    (_, id: string) => `${types.get(id)}/${id}`,
  );
}
