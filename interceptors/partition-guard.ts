import { defineInterceptor, FhirError } from '../src/index.js';
import type { HookEvent, Interceptor, MaybePromise } from '../src/index.js';

/** What a guard judges: the request, what it is about, and the partitions that were selected for it. */
export type GuardedSelection = HookEvent<'STORAGE_PARTITION_SELECTED'>;

/** Options of `partitionGuard`. */
export interface PartitionGuardOptions {
  /** `true`, and nothing else, lets the interaction go on. */
  readonly allow: (selection: GuardedSelection) => MaybePromise<boolean>;
  /** Name in logs and explanations; `partition-guard` if left out. */
  readonly name?: string;
}

/**
 * Refuses interactions by the partitions that were selected for them, after whoever selected them and before
 * anything is read: 403 FORBIDDEN. It is asked for every interaction, each entry of a bundle included.
 *
 * ```ts
 * partitionGuard({
 *   allow: ({ partitions, target }) =>
 *     target.interaction !== 'delete' || partitions.every(({ name }) => name !== 'archive'),
 * });
 * ```
 */
export function partitionGuard({ allow, name = 'partition-guard' }: PartitionGuardOptions): Interceptor {
  return defineInterceptor({
    name,
    hooks: {
      STORAGE_PARTITION_SELECTED: async (selection) => {
        if ((await allow(selection)) === true) return;
        throw new FhirError('FORBIDDEN', 'This is not allowed in the partition.');
      },
    },
  });
}
