import type { PartitionId } from '../model/partition.js';
import type { PartitionUsage } from '../model/quota.js';
import type { Change, WriteConflict, WriteUnit } from './store.js';

/** What a unit may make a partition hold: what would exceed it is refused, unless the unit makes it less. */
export interface UsageLimit {
  readonly partition: PartitionId;
  /** Undefined: any number. */
  readonly resources: number | undefined;
  readonly bytes: number | undefined;
  /** Whether whoever writes may be told what the partition holds. */
  readonly mayBeTold: boolean;
  /** Told what the partition holds with the unit, which is true once `write` has resolved. */
  readonly tell: (usage: PartitionUsage) => void;
}

/** What came of counting a partition. */
export interface UsageCount {
  /** What it held at the moment of the count. */
  readonly usage: PartitionUsage;
  /** By how much what was kept was too low, and was corrected; undefined where nothing had been kept. */
  readonly drift: PartitionUsage | undefined;
}

/** What is kept of what partitions hold. */
export interface UsageStore {
  /** Undefined where nothing is kept, or what was there before is not counted yet. */
  read(partition: PartitionId): Promise<PartitionUsage | undefined>;
  /**
   * Counts what the partition held at one moment, while writers go on; from that moment on its usage is kept. What was
   * kept wrongly is corrected. Undefined where somebody else is counting.
   * @throws FhirError UNKNOWN_PARTITION
   */
  count(partition: PartitionId): Promise<UsageCount | undefined>;
}

/** By how much units change what a partition holds, and how much that may be. */
export interface UsageChange extends PartitionUsage {
  readonly partition: PartitionId;
  /** What of it there has to be room for: all but what the server stores by itself. */
  readonly wanted: PartitionUsage;
  readonly limits: readonly UsageLimit[];
  /** A change that is to blame where it is too much. */
  readonly change: Change;
}

/** What units change, by partition; in the order of partitions, in which all writers take them. */
export function usageChanges(units: readonly WriteUnit[]): readonly UsageChange[] {
  const changes = units.flatMap((unit) => unit.changes);
  const byPartition = [...Map.groupBy(changes, partitionOfChange)].toSorted(([a], [b]) => a - b);
  return byPartition.map(([partition, group]) => {
    const attached = units.flatMap(({ attaches = [] }) =>
      attaches.filter((one) => one.partition === partition),
    );
    const content = { resources: 0, bytes: sum(attached.map(({ size }) => size)) };
    const all = plus(content, changeOf(group));
    const wanted = plus(content, changeOf(group.filter((change) => !isExempt(change))));
    const limits = units.flatMap((unit) => (unit.limits ?? []).filter((one) => one.partition === partition));
    return { partition, ...all, wanted, limits, change: blamed(group) };
  });
}

/** The limits that a change has to keep; undefined where it makes nothing more. */
export function limitsOf({ wanted: { resources, bytes }, limits }: UsageChange): LimitsInForce | undefined {
  const least = {
    resources: resources > 0 ? leastOf(limits.map((limit) => limit.resources)) : undefined,
    bytes: bytes > 0 ? leastOf(limits.map((limit) => limit.bytes)) : undefined,
  };
  return least.resources === undefined && least.bytes === undefined ? undefined : least;
}

/** Undefined: none. */
export interface LimitsInForce {
  readonly resources: number | undefined;
  readonly bytes: number | undefined;
}

/** The partition that a change writes to. */
export function partitionOfChange(change: Change): PartitionId {
  return change.kind === 'create' ? change.assignment.partition : change.current.partition;
}

/**
 * What a change runs into that was written, and after which the partition holds `after`; undefined: nothing. What the
 * server stores by itself takes no room.
 */
export function excessOf(changed: UsageChange, after: PartitionUsage): QuotaConflict | undefined {
  const { change, wanted } = changed;
  const limits = limitsOf(changed);
  if (limits === undefined) return undefined;
  const used = minus(after, changed);
  const asked = plus(used, wanted);
  const isWithin =
    asked.resources <= (limits.resources ?? Infinity) && asked.bytes <= (limits.bytes ?? Infinity);
  const mayBeTold = changed.limits.every((limit) => limit.mayBeTold);
  return isWithin ? undefined : { kind: 'quota', change, used, wanted, limits, mayBeTold };
}

/** The conflict of a write that is too much. */
export type QuotaConflict = Extract<WriteConflict, { readonly kind: 'quota' }>;

function isExempt(change: Change): boolean {
  return change.kind === 'create' && change.exempt === true;
}

function changeOf(changes: readonly Change[]): PartitionUsage {
  return { resources: sum(changes.map(resourcesOf)), bytes: sum(changes.map(bytesOf)) };
}

function plus(a: PartitionUsage, b: PartitionUsage): PartitionUsage {
  return { resources: a.resources + b.resources, bytes: a.bytes + b.bytes };
}

function minus(a: PartitionUsage, b: PartitionUsage): PartitionUsage {
  return { resources: a.resources - b.resources, bytes: a.bytes - b.bytes };
}

/** By how much there are more resources. */
function resourcesOf(change: Change): number {
  if (change.kind === 'create') return 1;
  const before = change.current.deleted ? 0 : 1;
  return (change.kind === 'delete' ? 0 : 1) - before;
}

/** All versions are kept, so that none makes it less. */
function bytesOf(change: Change): number {
  return change.kind === 'delete' ? 0 : Buffer.byteLength(change.text);
}

function blamed(group: readonly Change[]): Change {
  return (
    group.find((change) => resourcesOf(change) > 0 && !isExempt(change)) ??
    group.find(({ kind }) => kind !== 'delete') ??
    group[0]!
  );
}

function leastOf(limits: readonly (number | undefined)[]): number | undefined {
  const given = limits.filter((limit) => limit !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
