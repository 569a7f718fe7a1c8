import type { PartitionId } from '../model/partition.js';

/**
 * Key of a partition's own setting, and begin of the keys of several: `NAME@ID:`. All settings with `@ID:` in their keys
 * end with the partition; no other key has an `@`.
 */
export function partitionSetting(name: string, partition: PartitionId): string {
  return `${name}${settingsOfPartition(partition)}`;
}

/** What the keys of all settings of a partition have in them, and no others. */
export function settingsOfPartition(partition: PartitionId): string {
  return `@${partition}:`;
}

/** The partition whose setting of this name has the key. */
export function partitionOfSetting(name: string, key: string): PartitionId {
  return Number(key.slice(name.length + 1, -1)) as PartitionId;
}
