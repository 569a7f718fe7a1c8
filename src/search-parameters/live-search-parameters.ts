import { createHash } from 'node:crypto';
import type { ComponentSource } from '../fhir/expression/bind-composite.js';
import { bindParameter } from '../fhir/expression/bind.js';
import { FULL_TEXT_PATH } from '../fhir/full-text.js';
import type { CompositeComponent, SearchParameter } from '../fhir/index-values.js';
import type { RegisteredSearchParameter } from '../fhir/indexed-path.js';
import type { SearchParameterDefinition } from '../fhir/r4/compact.js';
import { typesOfBase, type SearchParameterRegistry } from '../fhir/search-parameters.js';
import { FhirError } from '../model/errors.js';
import type { Resource } from '../model/resource.js';
import { assertAdmissible, assertFew } from './admission.js';
import { type Foundation, layered } from './foundation.js';
import { Freshness } from './freshness.js';
import {
  ALL_COMPOSITES,
  ALL_CONTAINED,
  ALL_TEXT,
  type OwnPath,
  ownPathKey,
  type PathKey,
  toIndexedDefinition,
  withinContained,
  toOwnComponent,
} from './own-path.js';
import { type ParameterState, ParameterStore, type ParameterStoreParts } from './parameter-store.js';
import { type ParameterRecord, recordOf } from './parameter-record.js';
import { type UniqueCombination, uniqueCombinations } from './unique-combination.js';
import { pathsToLift, UpliftsInForce } from './uplifts-in-force.js';

/** What live search parameters are made of. */
export interface LiveParts extends ParameterStoreParts {
  /** What is in force where nothing of its own is stored. */
  readonly foundation: Foundation;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  /** Whether what is stored is in force, or its paths are only kept indexed. */
  readonly isInForce: boolean;
}

/** A SearchParameter that is about to be written; `resource` undefined: deleted. */
export interface ParameterWrite {
  readonly id: string;
  readonly version: number;
  readonly resource: Resource | undefined;
}

/** When every write that was planned by earlier parameters has ended: freshness, and the longest write. */
const SETTLED_MS = 10_000;

const NO_UNIQUES: readonly UniqueCombination[] = [];

/** Where a parameter finds its values. */
type PlacedParameter = Pick<SearchParameter, 'type' | 'paths' | 'roots'>;

/**
 * The search parameters in force: those of the foundation as SearchParameter resources of one partition have changed
 * them, and those that were added there. In DEFAULT the foundation is R4's own; what is in force there is the foundation
 * of partitions that hold parameters of their own. `current` is immutable and replaced as a whole; whoever needs two
 * answers of one time takes it once.
 */
export class LiveSearchParameters implements Foundation {
  private readonly foundation: Foundation;
  private readonly store: ParameterStore;
  /** The parameters that are stored, but those that are as they were published; by id. */
  private stored: ReadonlyMap<string, ParameterRecord> = new Map();
  private paths: ReadonlyMap<string, OwnPath> = new Map();
  /** Own paths that all data is indexed by, as `type kind path`. */
  private complete: ReadonlySet<string> = new Set();
  private readonly indexed = new Map<string, SearchParameterDefinition>();
  private registry: SearchParameterRegistry;
  /** The foundation that the registry was made on. */
  private base: SearchParameterRegistry;
  private combinations: ReadonlyMap<string, readonly UniqueCombination[]> = new Map();
  private lifting: UpliftsInForce;
  /** What was last seen in the database. */
  private seen: Pick<ParameterState, 'versions' | 'pathsText'> = { versions: '[]', pathsText: '[]' };
  private readonly freshness = new Freshness(() => this.load());
  private seeding: Promise<void> | undefined;

  constructor(private readonly parts: LiveParts) {
    this.foundation = parts.foundation;
    this.base = parts.foundation.current;
    this.registry = this.base;
    this.lifting = this.liftedNow();
    this.store = new ParameterStore(parts);
  }

  get current(): SearchParameterRegistry {
    if (this.foundation.current !== this.base) this.build();
    return this.registry;
  }

  get official(): Foundation['official'] {
    return this.foundation.official;
  }

  /** The parameter that `code` means on the type now. */
  find(resourceType: string, code: string): RegisteredSearchParameter | undefined {
    const parameter = this.current.find(resourceType, code);
    return parameter && this.lifting.of(resourceType, parameter);
  }

  /** What is lifted now. */
  get uplifts(): UpliftsInForce {
    return this.lifting;
  }

  /** All parameters of a type, in alphabetical order of their codes. */
  list(resourceType: string): readonly RegisteredSearchParameter[] {
    return this.current.list(resourceType);
  }

  /** What has to be unique, by resource type. */
  get uniques(): ReadonlyMap<string, readonly UniqueCombination[]> {
    if (this.foundation.current !== this.base) this.build();
    return this.combinations;
  }

  /** What no two resources of the type in one partition may have in common. */
  uniquesOf(resourceType: string): readonly UniqueCombination[] {
    return this.uniques.get(resourceType) ?? NO_UNIQUES;
  }

  /** Whether resources of the type may be missed: written before the parameter, and not reindexed since. */
  isPending(resourceType: string, { type, paths, roots = [] }: PlacedParameter): boolean {
    if (paths[0] === FULL_TEXT_PATH) return this.isWaiting(ALL_TEXT);
    const components = roots.flatMap((root) => root.components);
    if (components.some((one) => this.isPending(resourceType, ofComponent(one)))) return true;
    if (type === 'composite' && paths.length > 0 && this.isWaiting(ALL_COMPOSITES)) return true;
    if (type === 'special' || this.isUnchanged()) return false;
    return paths.some((path) => !this.isComplete({ resourceType, kind: type, path }));
  }

  /** The same for resources of the type that are contained in others; without a parameter, for any search of them. */
  missesContained(resourceType: string, parameter?: PlacedParameter): boolean {
    if (this.isWaiting(ALL_CONTAINED)) return true;
    if (parameter === undefined || this.isUnchanged()) return false;
    const { type, paths, roots = [] } = parameter;
    const components = roots.flatMap((root) => root.components).map(ofComponent);
    if (components.some((one) => this.missesContained(resourceType, one))) return true;
    if (type === 'special') return false;
    return paths.some((path) => this.isWaiting(withinContained({ resourceType, kind: type, path })));
  }

  isUnchanged(): boolean {
    return this.stored.size === 0 && this.foundation.isUnchanged();
  }

  isWaiting(path: PathKey): boolean {
    const isOwn = this.paths.size > 0 && this.paths.get(ownPathKey(path))?.state === 'pending';
    return isOwn || this.foundation.isWaiting(path);
  }

  isComplete(path: PathKey): boolean {
    const { resourceType, kind, path: text } = path;
    return this.foundation.isComplete(path) || this.complete.has(`${resourceType} ${kind} ${text}`);
  }

  isIndexed(path: PathKey): boolean {
    return this.foundation.isIndexed(path) || this.paths.has(ownPathKey(path));
  }

  isFixed(): boolean {
    return false;
  }

  records(): ReadonlyMap<string, ParameterRecord> {
    const records = new Map(this.foundation.records());
    for (const [id, record] of this.stored) {
      // Behind those of the foundation, so that their order is the same wherever nothing is changed.
      records.delete(id);
      records.set(id, record);
    }
    return records;
  }

  /** Paths that data written before them have to be reindexed for, with the parameters in force or not. */
  pendingPaths(): readonly OwnPath[] {
    const waiting = [...this.paths.values()].filter(({ state }) => state === 'pending');
    // Where words are not indexed, nothing can bring them along.
    return this.registry.fullText === 'on' ? waiting : waiting.filter(({ kind }) => kind !== 'text');
  }

  /** Paths of copies that nobody keeps up to date: their uplift was taken back. */
  retiredCopies(): readonly OwnPath[] {
    return [...this.paths.values()].filter((path) => path.copiedFrom && !this.lifting.maintains(path));
  }

  /**
   * When every write that may have missed the path has ended, in milliseconds since 1970 UTC. A reindex that reads a
   * resource after this time misses nothing.
   */
  settledAt({ since }: Pick<OwnPath, 'since'>): number {
    return since + SETTLED_MS;
  }

  /** What is written where full text is off has no words: when it comes on, searches by them wait for a reindex. */
  async noteFullText(): Promise<void> {
    if (this.registry.fullText === 'on' || this.isWaiting(ALL_TEXT)) return;
    await this.store.savePaths([
      { ...ALL_TEXT, expression: '', state: 'pending', since: this.parts.clock() },
    ]);
    await this.refresh();
  }

  /** All data has rows of these paths now: searches by them warn no more. */
  async markIndexed(paths: readonly (PathKey & Pick<OwnPath, 'since'>)[]): Promise<void> {
    await this.refresh();
    const known = paths.flatMap((path) => {
      const own = this.paths.get(ownPathKey(path));
      // One that has come back meanwhile waits for a reindex of its own.
      return own?.since === path.since ? own : [];
    });
    if (known.length === 0) return;
    await this.store.savePaths(known.map((path) => ({ ...path, state: 'indexed' })));
    await this.refresh();
  }

  /** R4's own parameters are resources of DEFAULT from now on. */
  seed(): Promise<void> {
    this.seeding ??= this.store.seed(this.foundation.current).catch((error: unknown) => {
      this.seeding = undefined;
      throw error;
    });
    return this.seeding;
  }

  /** Takes over what has changed in the database. Answers whether something had. */
  refresh(): Promise<boolean> {
    return this.freshness.refresh();
  }

  /** See Freshness. */
  noticeWrite(): Promise<void> {
    return this.freshness.noticeWrite();
  }

  /** See Freshness. */
  fresh(): Promise<boolean> | undefined {
    return this.freshness.fresh();
  }

  /**
   * Judges parameters that one transaction is to write, in its order, by what was last seen (see `refresh`); `judged` runs
   * each judgement, so that an error can be told where it belongs. Answers a claim for each write: of two transactions
   * that were judged by the same parameters, only one can claim it.
   * @throws FhirError INVALID_RESOURCE, SEARCH_PARAMETER_OVERLAP, METHOD_NOT_ALLOWED, LIMIT_EXCEEDED
   */
  async admit(
    writes: readonly ParameterWrite[],
    judged: (write: ParameterWrite, judge: () => Promise<void>) => Promise<void>,
  ): Promise<readonly string[]> {
    const state = createHash('sha256').update(this.seen.versions).digest('hex').slice(0, 32);
    if (this.parts.partition !== undefined) assertFew([...this.stored.keys(), ...writes.map(({ id }) => id)]);
    const records = new Map(this.records());
    for (const write of writes) await judged(write, async () => this.judge(write, records));
    const admitted = writes.flatMap(({ id, resource }) => (resource ? (records.get(id) ?? []) : []));
    await this.announcePaths(admitted);
    return writes.map((_, position) => `search parameters ${state} ${position}`);
  }

  private judge({ id, version, resource }: ParameterWrite, records: Map<string, ParameterRecord>): void {
    if (!resource) {
      this.assertDeletable(id);
      const beneath = this.foundation.records().get(id);
      if (beneath) records.set(id, beneath);
      else records.delete(id);
      return;
    }
    const record = recordOf(resource, { id, version });
    const { schema } = this.base;
    const { official, parts } = this;
    assertAdmissible(record, { schema, records, official, isOfPartition: parts.partition !== undefined });
    records.set(id, record);
  }

  private assertDeletable(id: string): void {
    if (!this.foundation.isFixed(id)) return;
    throw new FhirError(
      'METHOD_NOT_ALLOWED',
      'A search parameter of FHIR R4 cannot be deleted; set its status to retired to switch it off.',
      { headers: { allow: 'GET, HEAD, PUT, PATCH' } },
    );
  }

  /**
   * Known before the parameter is: should it come to nothing, the path is indexed for nothing; the other way round,
   * a server that ends in between would leave a parameter that finds nothing and says so to nobody.
   */
  private async announcePaths(admitted: readonly ParameterRecord[]): Promise<void> {
    const since = this.parts.clock();
    const fresh = new Map<string, OwnPath>();
    const definitions = new Map(admitted.map(({ definition }) => [definition.url, definition]));
    const source = { byUrl: (url: string) => definitions.get(url) ?? this.current.byUrl(url) };
    const active = admitted.filter(({ isActive }) => isActive);
    const beside = [...this.stored.values()].filter(
      ({ id, isActive }) => isActive && !admitted.some((record) => record.id === id),
    );
    const targets = active.map(({ definition }) => definition);
    for (const path of [
      ...active.flatMap(({ definition }) => this.pathsOf(definition, source)),
      ...[...beside, ...active].flatMap((record) => pathsToLift(record, targets, this.current)),
    ]) {
      const key = ownPathKey(path);
      const isKept = this.paths.has(key) && (!path.copiedFrom || this.lifting.maintains(path));
      if (isKept) continue;
      const inside = withinContained(path);
      fresh.set(key, { ...path, state: 'pending', since });
      fresh.set(ownPathKey(inside), { ...inside, expression: '', state: 'pending', since });
    }
    await this.store.savePaths([...fresh.values()]);
  }

  /** Paths of the definition that the foundation does not index. */
  private pathsOf(
    definition: SearchParameterDefinition,
    source: ComponentSource,
  ): readonly Omit<OwnPath, 'state' | 'since'>[] {
    return definition.base.flatMap(typesOfBase).flatMap((resourceType) =>
      bindParameter(this.base.schema, resourceType, definition, source)
        .indexed.filter(({ kind, path }) => !this.foundation.isIndexed({ resourceType, kind, path }))
        .map(({ kind, path, expression, component }) => ({
          resourceType,
          kind,
          path,
          expression,
          ...(component && { component: toOwnComponent(component) }),
        })),
    );
  }

  private async load(): Promise<boolean> {
    const found = await this.store.look();
    const { versions, pathsText } = this.seen;
    if (found.versions === versions && found.pathsText === pathsText) return false;
    if (found.versions !== versions && this.parts.isInForce)
      this.stored = await this.store.records(this.stored);
    this.paths = found.paths;
    this.complete = new Set(
      [...found.paths.values()]
        .filter(({ state }) => state === 'indexed')
        .map(({ resourceType, kind, path }) => `${resourceType} ${kind} ${path}`),
    );
    this.seen = found;
    this.build();
    return true;
  }

  /** Partitions with parameters of their own are searched without: another's values may be the ones that are lifted. */
  private liftedNow(): UpliftsInForce {
    const records = this.parts.partition === undefined ? this.stored.values() : [];
    return new UpliftsInForce(records, this.registry, (path) => this.isComplete(path));
  }

  /** What was there before goes on where it is the same, so that types that did not change are not worked out again. */
  private build(): void {
    const { current } = this.foundation;
    const { inForce, hidden } = layered(this.foundation.records(), this.stored);
    this.base = current;
    this.registry = this.registry.with(inForce, this.keptBeside(hidden), current);
    this.combinations = uniqueCombinations(this.records().values(), this.registry);
    this.lifting = this.liftedNow();
  }

  kept(): readonly SearchParameterDefinition[] {
    return this.keptBeside(layered(this.foundation.records(), this.stored).hidden);
  }

  private keptBeside(hidden: readonly SearchParameterDefinition[]): readonly SearchParameterDefinition[] {
    return [...hidden, ...this.foundation.kept(), ...this.ownPaths()];
  }

  /** The same objects as before for the same paths. */
  private *ownPaths(): Iterable<SearchParameterDefinition> {
    for (const [key, path] of this.paths) {
      if (path.copiedFrom) continue;
      const known = this.indexed.get(key) ?? toIndexedDefinition(path);
      this.indexed.set(key, known);
      yield known;
    }
  }
}

/** A component within elements has rows of its own. */
function ofComponent({ type, paths, within }: CompositeComponent): PlacedParameter {
  return { type: within === 'element' ? 'composite' : type, paths };
}
