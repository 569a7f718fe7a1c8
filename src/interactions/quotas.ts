/** What partitions may hold: whoever answers STORAGE_PARTITION_QUOTA says it, and the store keeps to it. */
import { accessOf, isWide } from '../model/access.js';
import { FhirError } from '../model/errors.js';
import { NON_PARTITIONABLE_TYPES, type Partition } from '../model/partition.js';
import { type PartitionUsage, type Quota, quotaHeaders } from '../model/quota.js';
import type { RequestDetails } from '../model/request.js';
import { partitionOfChange, type UsageLimit } from '../storage/partition-usage.js';
import type { Change, WriteConflict } from '../storage/store.js';
import type { ServerParts } from './server-parts.js';

/** A quota that a write has to keep. */
export interface WriteQuota {
  readonly limit: UsageLimit;
  readonly partition: Partition;
  readonly quota: Quota;
  /** Whether whoever asks may learn what the partition holds. */
  readonly mayBeTold: boolean;
  /** What the partition held after the write; undefined before. */
  readonly used: () => PartitionUsage | undefined;
}

/** The quotas of all partitions that changes write to; none where nobody answers the pointcut. */
export async function quotasOf(
  server: ServerParts,
  request: RequestDetails,
  changes: readonly Change[],
): Promise<readonly WriteQuota[]> {
  if (!server.hooks.has('STORAGE_PARTITION_QUOTA')) return [];
  const quotas: WriteQuota[] = [];
  for (const [id, group] of Map.groupBy(changes, partitionOfChange)) {
    // Of one that has gone the store says so.
    const partition = server.directory.byId(id);
    const quota = partition && (await quotaOf(server, request, partition));
    if (partition && quota && !(quota.resources === undefined && quota.bytes === undefined))
      quotas.push(
        toWriteQuota(
          partition,
          quota,
          group.every((change) => mayBeTold(request, change)),
        ),
      );
  }
  return quotas;
}

/** The quota of a partition. @throws Error for numbers that are none, and below zero */
export async function quotaOf(
  { hooks }: Pick<ServerParts, 'hooks'>,
  request: RequestDetails,
  partition: Partition,
): Promise<Quota | undefined> {
  const quota = await hooks.decide('STORAGE_PARTITION_QUOTA', { request, partition });
  for (const [name, limit] of Object.entries(quota ?? {})) {
    if (limit !== undefined && !(limit >= 0)) throw new Error(`A quota of ${name} is a number from 0.`);
  }
  return quota;
}

function toWriteQuota(partition: Partition, quota: Quota, isTold: boolean): WriteQuota {
  let used: PartitionUsage | undefined;
  const limit: UsageLimit = {
    partition: partition.id,
    resources: quota.resources,
    bytes: quota.bytes,
    mayBeTold: isTold,
    tell: (usage) => {
      used = usage;
    },
  };
  return { limit, partition, quota, mayBeTold: isTold, used: () => used };
}

/** Tells hooks what partitions hold after a write. */
export async function announceUsage(
  { hooks }: ServerParts,
  request: RequestDetails,
  quotas: readonly WriteQuota[],
): Promise<void> {
  for (const { partition, quota, mayBeTold: isTold, used } of quotas) {
    const usage = used();
    const event = { request, partition, quota, mayBeTold: isTold };
    if (usage) await hooks.observe('STORAGE_PARTITION_USED', { ...event, usage });
  }
}

/** The error of a write that would make a partition hold too much. */
export function quotaExceeded({
  used,
  wanted,
  limits,
  mayBeTold: isTold,
}: Extract<WriteConflict, { kind: 'quota' }>): FhirError {
  const what = used.resources + wanted.resources > (limits.resources ?? Infinity) ? 'resources' : 'bytes';
  if (!isTold) return new FhirError('QUOTA_EXCEEDED', `There is no room for more ${what} here.`);
  const more = wanted[what];
  const message =
    `The partition may hold ${limits[what]} ${what} and holds ${used[what]}; ` +
    `this request needs room for ${more} more.${what === 'bytes' ? BYTES_STAY : ''}`;
  return new FhirError('QUOTA_EXCEEDED', message, {
    headers: quotaHeaders(given(limits), { ...used }),
  });
}

const BYTES_STAY = ' Earlier versions count, those of what was deleted too.';

/** Whoever may see a part of a partition, or writes to what all tenants share, learns nothing of the rest. */
function mayBeTold(request: RequestDetails, change: Change): boolean {
  const type = change.kind === 'delete' ? change.current.type : change.type;
  return !NON_PARTITIONABLE_TYPES.has(type) && seesAll(request);
}

/** Whether whoever asks may see all of what is in the partition. */
export function seesAll(request: RequestDetails): boolean {
  const access = accessOf(request);
  return access === null || isWide(access);
}

function given(limits: {
  readonly resources: number | undefined;
  readonly bytes: number | undefined;
}): Quota {
  return {
    ...(limits.resources === undefined ? {} : { resources: limits.resources }),
    ...(limits.bytes === undefined ? {} : { bytes: limits.bytes }),
  };
}
