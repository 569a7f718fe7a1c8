import { defineInterceptor, NON_PARTITIONABLE_TYPES } from '../src/index.js';
import type { Interceptor, PartitionChoice, Resource } from '../src/index.js';

/** Where resources of some types, or of one source, are stored. A rule with both asks for both. */
export interface ResourceRule {
  readonly types?: readonly string[];
  /** As in `meta.source`; a fragment that tells the request (`#…`) is left out of the comparison. */
  readonly source?: string;
  /** Name of the partition. */
  readonly partition: string;
}

/** Options of `partitionByResource`. */
export interface PartitionByResourceOptions {
  /** The first that fits decides. */
  readonly rules: readonly ResourceRule[];
  /** Where no rule fits: a partition's name, or the next interceptor if left out. */
  readonly otherwise?: string;
  /** The partitions that every read and search looks in; all if left out. */
  readonly read?: 'all' | readonly [string, ...string[]];
  /** Lower is asked first; 0 if left out. */
  readonly order?: number;
}

/**
 * The partition of a new resource follows from its type or its `meta.source`: segments of one organization,
 * read together. Types that live in DEFAULT only stay there.
 * @throws Error for a rule that has neither types nor a source.
 */
export function partitionByResource(options: PartitionByResourceOptions): Interceptor {
  const { rules, otherwise, read = 'all', order = 0 } = options;
  assertRules(rules);
  const readChoice: PartitionChoice = read === 'all' ? { by: 'all' } : { by: 'name', names: read };
  return defineInterceptor({
    name: 'partition-by-resource',
    order,
    hooks: {
      STORAGE_PARTITION_IDENTIFY_CREATE: ({ resource }) => {
        if (NON_PARTITIONABLE_TYPES.has(resource.resourceType)) return { by: 'default' };
        const partition = rules.find((rule) => fits(rule, resource))?.partition ?? otherwise;
        return partition === undefined ? undefined : { by: 'name', names: [partition] };
      },
      STORAGE_PARTITION_IDENTIFY_READ: ({ target: { operation } }) =>
        operation?.startsWith('$partition-') ? { by: 'default' } : readChoice,
    },
  });
}

function assertRules(rules: readonly ResourceRule[]): void {
  const empty = rules.find(({ types, source }) => types === undefined && source === undefined);
  if (empty) throw new Error(`The rule for partition '${empty.partition}' needs types or a source.`);
}

function fits({ types, source }: ResourceRule, resource: Resource): boolean {
  const ofType = types?.includes(resource.resourceType) ?? true;
  return ofType && (source === undefined || resource.meta?.source?.split('#')[0] === source);
}
