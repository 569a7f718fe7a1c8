import { defineInterceptor, quotaHeaders } from '../src/index.js';
import type { Interceptor, MaybePromise, Quota } from '../src/index.js';

/** Options of `quota`. */
export interface QuotaOptions {
  /** How much a partition may have, by its name; undefined: this interceptor does not say. Asked for each write. */
  readonly of: (partition: string) => MaybePromise<Quota | undefined>;
  /** Name in logs and explanations; `quota` if left out. */
  readonly name?: string;
}

/** What an answer tells; null where it would be of several partitions. */
interface Told {
  readonly partition: number;
  readonly headers: Readonly<Record<string, string>>;
}

const TOLD = 'bulkhead.quota';

/**
 * Limits what each partition may hold: 429 QUOTA_EXCEEDED for what would make it exceed its quota, and nothing of it is
 * stored. Deletes are never refused. Answers to writes say what is left. The database keeps what partitions hold, so that
 * all servers go by the same numbers.
 */
export function quota({ of, name = 'quota' }: QuotaOptions): Interceptor {
  return defineInterceptor({
    name,
    hooks: {
      STORAGE_PARTITION_QUOTA: ({ partition }) => of(partition.name),
      STORAGE_PARTITION_USED: ({ request: { attributes }, partition, usage, quota: limits, mayBeTold }) => {
        const before = attributes.get(TOLD) as Told | null | undefined;
        const isOfOne = mayBeTold && (before === undefined || before?.partition === partition.id);
        attributes.set(
          TOLD,
          isOfOne ? { partition: partition.id, headers: quotaHeaders(limits, usage) } : null,
        );
      },
      SERVER_OUTGOING_RESPONSE: ({ request, value }) => {
        const told = request.attributes.get(TOLD) as Told | null | undefined;
        return told ? { ...value, headers: { ...value.headers, ...told.headers } } : undefined;
      },
    },
  });
}
