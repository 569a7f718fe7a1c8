/** The kinds of index table that a path can have rows in. */
export type PathKind = 'token' | 'string' | 'date' | 'number' | 'quantity' | 'uri' | 'reference';

/**
 * Small integers for resource types and index paths, from memory. Undefined means that nothing was ever
 * written for it, so that a search by it has no rows.
 */
export interface Dictionary {
  typeId(resourceType: string): number | undefined;
  typeName(id: number): string;
  pathId(resourceType: string, kind: PathKind, path: string): number | undefined;
  /** Every resource type that was ever written. */
  knownTypes(): readonly string[];
}
