/** The kinds of index table that a path can have rows in. */
export type PathKind =
  'token' | 'string' | 'date' | 'number' | 'quantity' | 'uri' | 'reference' | 'composite' | 'text';

/** SYS_ID of values without a system. */
export const NO_SYSTEM = 0;

/** PARAM_ID of references that no search parameter covers: kept so that deletes find every referrer. */
export const UNINDEXED_REFERENCE = 0;

/**
 * Small integers for resource types, index paths and systems of codes. They stand in the main database, so that
 * SQL on partitioned tables never looks them up: it gets them as values. Undefined means that nothing was ever
 * written for it, so that a search by it has no rows.
 */
export interface Dictionary {
  /** Whether something was asked for in vain that another server may have added since. */
  hasMissed(): boolean;
  /** Looks again; answers whether more is known now. */
  catchUp(): Promise<boolean>;
  typeId(resourceType: string): number | undefined;
  typeName(id: number): string;
  pathId(resourceType: string, kind: PathKind, path: string): number | undefined;
  /** Lets `typeName` answer for types that another server may have added. */
  knowTypes(ids: readonly number[]): Promise<void>;
  /** Every resource type that was ever written. */
  knownTypes(): readonly string[];
  /** RES_TYPE_IDs of `knownTypes`. */
  typeIds(): readonly number[];
  /** PARAM_IDs of every path of a kind that was ever written, of one type or of all. */
  pathIds(kind: PathKind, resourceType?: string): readonly number[];
  /** From memory; undefined means unknown there, and `findSystems` knows more. */
  systemId(url: string): number | undefined;
  /** SYS_IDs from the database, by URL; those that were never written are not in the answer. */
  findSystems(urls: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** URLs by SYS_ID; NO_SYSTEM has none. */
  systemUrls(ids: readonly number[]): Promise<ReadonlyMap<number, string>>;
}
