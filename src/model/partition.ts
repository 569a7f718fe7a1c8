import type { ScopedAccess } from './access.js';

declare const idBrand: unique symbol;
declare const scopeBrand: unique symbol;

/** A partition's integer id: any 32-bit integer; 0 is DEFAULT. */
export type PartitionId = number & { readonly [idBrand]: true };

/** The partition that always exists. */
export const DEFAULT_PARTITION_ID = 0 as PartitionId;
/** The name that clients know it by, and that no other partition can have. */
export const DEFAULT_PARTITION_NAME = 'DEFAULT';

/** The tenant name that means all partitions, for reads only. */
export const ALL_PARTITIONS_NAME = '_ALL';

/** Where a partition's rows are: with those of others, or in a schema or a database of its own. */
export type Placement = 'shared' | 'schema' | 'database';

/** A group of resources. */
export interface Partition {
  readonly id: PartitionId;
  readonly name: string;
  readonly description?: string;
  /** Left out: `shared`. */
  readonly placement?: Placement;
}

/**
 * The partitions that one interaction may read. Made only by `partition/resolver.ts`; whoever holds one may
 * read exactly these partitions and no others. `partitions` is never empty, also when `all` is true.
 */
export interface PartitionScope {
  readonly [scopeBrand]: true;
  readonly partitions: readonly PartitionId[];
  readonly all: boolean;
  /**
   * Null: resources of all types. A tenant that looks into DEFAULT for what is kept there for everybody sees
   * resources of these types and no others.
   */
  readonly types: ReadonlySet<string> | null;
  /** Who reads sees no more than this; left out: everything of the partitions. */
  readonly access?: ScopedAccess;
}

/** The one partition (and date, `YYYY-MM-DD`) that a new resource is written to. Made only by the resolver. */
export interface PartitionAssignment {
  readonly [scopeBrand]: true;
  readonly partition: PartitionId;
  readonly date: string | null;
  /** What may be looked at there before something is written, as in PartitionScope. */
  readonly types: ReadonlySet<string> | null;
  readonly access?: ScopedAccess;
}

/**
 * What a hook on a STORAGE_PARTITION_IDENTIFY_* pointcut may answer. `date` is `YYYY-MM-DD`. `insteadOf` tells
 * that the request named this partition (by name or id) and the type is pinned to DEFAULT: it must exist all the same.
 */
export type PartitionChoice =
  | { readonly by: 'name'; readonly names: readonly [string, ...string[]]; readonly date?: string }
  | { readonly by: 'id'; readonly ids: readonly [number, ...number[]]; readonly date?: string }
  | { readonly by: 'default'; readonly date?: string; readonly insteadOf?: string | number }
  | { readonly by: 'all' };

/** Types whose resources always live in DEFAULT. */
export const NON_PARTITIONABLE_TYPES: ReadonlySet<string> = new Set([
  'CapabilityStatement',
  'CodeSystem',
  'CompartmentDefinition',
  'ConceptMap',
  'Library',
  'NamingSystem',
  'OperationDefinition',
  'Questionnaire',
  'SearchParameter',
  'StructureDefinition',
  'StructureMap',
  'ValueSet',
]);
