import type { PartitionId } from '../../../model/partition.js';
import { excessOf, limitsOf, type UsageChange, usageChanges } from '../../partition-usage.js';
import type { WriteConflict, WriteUnit } from '../../store.js';
import type { PgResult, PgStatement } from './statement.js';
import { USAGE_SQL } from './usage-sql.js';

/** A conflict that the statement of a usage finds. */
export type UsageFinding = Extract<WriteConflict, { kind: 'quota' | 'uncounted' }>;

/** The statement that keeps what a partition holds, and what its refusals and answers mean. */
export interface UsageStep {
  readonly statement: PgStatement;
  readonly find: (kind: string, numbers: readonly number[]) => UsageFinding | undefined;
  readonly tell: (result: PgResult) => void;
}

/** Partitions of which it is known that what they hold is kept. */
export class KeptPartitions {
  private readonly known = new Set<PartitionId>();

  /** Whether the units say so themselves, or what they write to is known. */
  has(partition: PartitionId, units: readonly WriteUnit[]): boolean {
    return this.known.has(partition) || units.some(({ limits }) => limits?.some(isOf(partition)) ?? false);
  }

  /** What a write has learned from its refusal; the partition stands in the place of an ordinal. */
  learn(partition: number): void {
    this.known.add(partition as PartitionId);
  }

  /** What is kept for units: at the end, in the order of partitions, so that nobody who holds such a row waits for others. */
  stepsOf(units: readonly WriteUnit[]): readonly UsageStep[] {
    if (this.known.size === 0 && units.every(({ limits }) => limits === undefined)) return [];
    return usageChanges(units)
      .filter(({ partition }) => this.has(partition, units))
      .map(toStep);
  }
}

function isOf(partition: PartitionId) {
  return (limit: { readonly partition: PartitionId }): boolean => limit.partition === partition;
}

function toStep(changed: UsageChange): UsageStep {
  const { partition, resources, bytes, wanted, change } = changed;
  const limits = limitsOf(changed);
  // What the server stores by itself takes no room.
  const most = [
    limits?.resources === undefined ? null : limits.resources + resources - wanted.resources,
    limits?.bytes === undefined ? null : limits.bytes + bytes - wanted.bytes,
  ].map((limit) => (limit === null || limit > Number.MAX_SAFE_INTEGER ? null : Math.floor(limit)));
  const values = [partition, resources, bytes, ...most, limits === undefined ? 0 : 1];
  return {
    statement: { name: 'usage', text: USAGE_SQL.add, values },
    find: (kind, [allResources = 0, allBytes = 0]) => {
      if (kind === 'uncounted') return { kind, change };
      return kind === 'quota' ? excessOf(changed, { resources: allResources, bytes: allBytes }) : undefined;
    },
    tell: ({ rows }) => {
      const [held, heldBytes] = (rows[0] ?? []) as readonly (number | null)[];
      if (typeof held !== 'number' || typeof heldBytes !== 'number') return;
      for (const { tell } of changed.limits) tell({ resources: held, bytes: heldBytes });
    },
  };
}
