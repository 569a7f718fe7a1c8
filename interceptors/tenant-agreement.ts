import { FhirError } from '../src/index.js';
import type { Partition, RequestDetails } from '../src/index.js';
import type { NamedPartitions, TenantSource } from './tenant-source.js';

/** What a request names, and where. */
export interface NamedTenant {
  readonly place: string;
  readonly partitions: NamedPartitions;
}

/** The partitions that were selected for an interaction. */
export interface SelectedPartitions {
  readonly partitions: readonly Partition[];
  readonly all: boolean;
}

/**
 * Everything that a request names, in the order of the sources.
 * @throws FhirError TENANT_MALFORMED
 */
export function readTenants(
  sources: readonly TenantSource[],
  request: RequestDetails,
): readonly NamedTenant[] {
  return sources.flatMap(({ place, read }) => {
    const partitions = read(request);
    return partitions === undefined ? [] : [{ place, partitions }];
  });
}

/**
 * Refuses a request that names two tenants. A name and an id may mean the same partition; whether they do is
 * seen when the partitions were selected.
 * @throws FhirError TENANT_MISMATCH
 */
export function assertAgreement(tenants: readonly NamedTenant[]): void {
  const [first, ...others] = tenants;
  const other = others.find(({ partitions }) => first && disagree(first.partitions, partitions));
  if (first && other) throw mismatch(first.place, other.place);
}

/** Whether what a request names is exactly what was selected. */
export function isSelected(wanted: NamedPartitions, { partitions, all }: SelectedPartitions): boolean {
  switch (wanted.by) {
    case 'all':
      return all;
    case 'name':
      return (
        !all &&
        sameSet(
          wanted.names,
          partitions.map(({ name }) => name),
        )
      );
    case 'id':
      return (
        !all &&
        sameSet<number>(
          wanted.ids,
          partitions.map(({ id }) => id),
        )
      );
  }
}

/** The error of two places that name different tenants; it tells neither tenant. */
export function mismatch(first: string, second: string): FhirError {
  return new FhirError('TENANT_MISMATCH', `The tenants in ${first} and ${second} differ.`);
}

function disagree(first: NamedPartitions, second: NamedPartitions): boolean {
  if (first.by === 'name' && second.by === 'name') return !sameSet(first.names, second.names);
  if (first.by === 'id' && second.by === 'id') return !sameSet(first.ids, second.ids);
  return (first.by === 'all') !== (second.by === 'all');
}

function sameSet<Item>(first: readonly Item[], second: readonly Item[]): boolean {
  const items = new Set(first);
  return second.every((item) => items.has(item)) && new Set(second).size === items.size;
}
