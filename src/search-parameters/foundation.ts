import type { SearchParameterDefinition } from '../fhir/r4/compact.js';
import { typesOfBase, type SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { PathKey } from './own-path.js';
import type { ParameterRecord } from './parameter-record.js';

/** What search parameters of one partition are laid upon: it holds wherever they say nothing else. */
export interface Foundation {
  /** What is in force; replaced as a whole when something changes. */
  readonly current: SearchParameterRegistry;
  /** R4's own definitions by resource id. */
  readonly official: ReadonlyMap<string, SearchParameterDefinition>;
  /** All parameters by resource id, in force or not. */
  records(): ReadonlyMap<string, ParameterRecord>;
  /** Definitions that are not in force, but whose paths go on being indexed. */
  kept(): readonly SearchParameterDefinition[];
  /** Whether everything is as it was published. */
  isUnchanged(): boolean;
  /** Whether the resource of this id can be changed, but not deleted. */
  isFixed(id: string): boolean;
  /** Whether every resource is indexed by the path when it is written. */
  isIndexed(path: PathKey): boolean;
  /** Whether all resources are indexed by the path, those from before it too. */
  isComplete(path: PathKey): boolean;
  /** Whether the path is known to miss resources until a reindex. */
  isWaiting(path: PathKey): boolean;
}

/** What comes of parameters that are laid upon others. */
export interface Layered {
  readonly inForce: readonly SearchParameterDefinition[];
  /** In force beneath, but not here, or not on all of their types. */
  readonly hidden: readonly SearchParameterDefinition[];
}

type Records = ReadonlyMap<string, ParameterRecord>;

/** A parameter takes the place of the one with its id, and its code goes before the same code beneath. */
export function layered(beneath: Records, own: Records): Layered {
  const inForce: SearchParameterDefinition[] = [];
  const hidden: SearchParameterDefinition[] = [];
  const taken = codesOf(own);
  for (const [id, { isActive, definition }] of beneath) {
    if (!isActive) continue;
    const left = own.has(id) ? undefined : without(definition, taken.get(definition.code));
    if (left) inForce.push(left);
    if (left !== definition) hidden.push(definition);
  }
  for (const { isActive, definition } of own.values()) if (isActive) inForce.push(definition);
  return { inForce, hidden };
}

/** The types on which each code is taken. */
function codesOf(records: Records): ReadonlyMap<string, ReadonlySet<string>> {
  const taken = new Map<string, Set<string>>();
  for (const { isActive, definition } of records.values()) {
    if (!isActive) continue;
    const types = definition.base.flatMap(typesOfBase);
    taken.set(definition.code, new Set([...(taken.get(definition.code) ?? []), ...types]));
  }
  return taken;
}

/** The same object where nothing is taken away; undefined where nothing is left. */
function without(
  definition: SearchParameterDefinition,
  taken: ReadonlySet<string> | undefined,
): SearchParameterDefinition | undefined {
  if (!taken) return definition;
  const types = definition.base.flatMap(typesOfBase);
  const base = types.filter((type) => !taken.has(type));
  if (base.length === types.length) return definition;
  return base.length === 0 ? undefined : { ...definition, base };
}
