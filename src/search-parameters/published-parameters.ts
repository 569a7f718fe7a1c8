import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { Foundation } from './foundation.js';
import { officialParameters } from './official-parameters.js';
import type { PathKey } from './own-path.js';
import type { ParameterRecord } from './parameter-record.js';

/** R4's own search parameters, as they were published: all active, and everything is indexed by them. */
export class PublishedParameters implements Foundation {
  readonly official = officialParameters();
  private readonly published: ReadonlyMap<string, ParameterRecord>;
  private readonly pathSets = new WeakMap<object, ReadonlySet<string>>();

  constructor(readonly current: SearchParameterRegistry) {
    this.published = new Map(
      [...this.official].map(([id, definition]) => [
        id,
        { id, version: 1, isActive: true, isUnique: false, definition },
      ]),
    );
  }

  records(): ReadonlyMap<string, ParameterRecord> {
    return this.published;
  }

  kept(): readonly [] {
    return [];
  }

  isUnchanged(): boolean {
    return true;
  }

  isFixed(id: string): boolean {
    return this.official.has(id);
  }

  isIndexed({ resourceType, kind, path }: PathKey): boolean {
    return this.pathsOf(resourceType).has(`${kind} ${path}`);
  }

  isComplete(path: PathKey): boolean {
    return this.isIndexed(path);
  }

  isWaiting(): boolean {
    return false;
  }

  /** As `kind path`. */
  private pathsOf(resourceType: string): ReadonlySet<string> {
    const indexed = this.current.indexedPaths(resourceType);
    const known = this.pathSets.get(indexed) ?? new Set(indexed.map(({ kind, path }) => `${kind} ${path}`));
    this.pathSets.set(indexed, known);
    return known;
  }
}
