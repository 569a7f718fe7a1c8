import { createHash } from 'node:crypto';
import type { IndexedComponent, IndexedPath } from '../fhir/indexed-path.js';
import type { SearchComponent, SearchParameterDefinition } from '../fhir/r4/compact.js';
import type { Lift } from '../fhir/uplift.js';

/** Names one indexed path of a resource type. */
export interface PathKey {
  readonly resourceType: string;
  readonly kind: IndexedPath['kind'] | 'text';
  readonly path: string;
}

/**
 * A path that is indexed beside those of R4's own parameters. Once it is, it stays: retiring its parameter stops the
 * searches, not the rows, so that the parameter can come back without a reindex. Copies are
 * not kept up to date any more, and go; should they come back, they wait for a reindex.
 */
export interface OwnPath extends PathKey {
  /** The FHIRPath expression that has the path, or the elements that it is in. */
  readonly expression: string;
  /** What the path is within elements that repeat. */
  readonly component?: Pick<IndexedComponent, 'kind' | 'expression'> & Pick<SearchComponent, 'byEngine'>;
  /** Lifted values of the paths of `expression`. */
  readonly lift?: Lift;
  /** Nothing is extracted: rows are copies of a target's own rows on this path. */
  readonly copiedFrom?: PathKey;
  /** `pending`: resources that were written before it may have no rows of it. */
  readonly state: 'pending' | 'indexed';
  /** When it came to be indexed, in milliseconds since 1970 UTC. */
  readonly since: number;
}

/** Stands for composites within elements of every type: a migration marks it where there were resources before them. */
export const ALL_COMPOSITES: PathKey = { resourceType: '*', kind: 'composite', path: '*' };

/** Stands for contained resources of every type: marked where there were resources before they were indexed. */
export const ALL_CONTAINED: PathKey = { resourceType: '*', kind: 'composite', path: '*#contained' };

/**
 * Stands for what contained resources have on a path: they are reindexed with what contains them, of whatever type, so
 * that this waits for a job of all types.
 */
export function withinContained({ resourceType, kind, path }: PathKey): PathKey {
  return { resourceType: '*', kind: 'composite', path: `${resourceType} ${kind} ${path}#contained` };
}

/** Stands for the words of resources of every type: waits where there were resources before them, or they are off. */
export const ALL_TEXT: PathKey = { resourceType: '*', kind: 'text', path: '*' };

/** The key of a path; as long for every path, as databases index keys of limited length. */
export function ownPathKey({ resourceType, kind, path }: PathKey): string {
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 32);
  return `${resourceType}:${kind}:${digest}`;
}

/** What makes a registry index the path: a parameter that nobody can name. */
export function toIndexedDefinition(own: OwnPath): SearchParameterDefinition {
  const { resourceType, kind, expression, component, lift } = own;
  // Of words there is no expression: nothing is made of them here.
  const type = kind === 'text' ? ('special' as const) : kind;
  const definition = { code: '', url: '', type, base: [resourceType], expression, description: '' };
  if (lift) return { ...definition, type: lift.kind, lift };
  if (!component) return definition;
  const { kind: componentType, ...others } = component;
  return { ...definition, components: [{ definition: '', type: componentType, ...others }] };
}

/** What is kept of a component, so that it can be indexed without its parameter. */
export function toOwnComponent({
  kind,
  expression,
  walk,
}: IndexedComponent): NonNullable<OwnPath['component']> {
  return walk ? { kind, expression } : { kind, expression, byEngine: true };
}
