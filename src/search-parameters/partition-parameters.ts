import { LRUCache } from 'lru-cache';
import { extractIndexValues } from '../fhir/extract.js';
import type { IndexValues } from '../fhir/index-values.js';
import type { RegisteredSearchParameter } from '../fhir/indexed-path.js';
import { parseStored } from '../fhir/json.js';
import {
  NON_PARTITIONABLE_TYPES,
  type PartitionAssignment,
  type PartitionId,
  type PartitionScope,
} from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import { partitionOfSetting } from '../storage/partition-setting.js';
import { Freshness } from './freshness.js';
import { LiveSearchParameters } from './live-search-parameters.js';
import { PARAMETERS_CHANGED, type ParameterStoreParts } from './parameter-store.js';

/** What the parameters of partitions are made of. */
export interface PartitionParametersParts {
  /**
   * False: those of DEFAULT hold everywhere, whatever partitions hold. What is written goes on being indexed by theirs,
   * so that they can come back.
   */
  readonly isEnabled: boolean;
  /** In force wherever a partition says nothing else. */
  readonly shared: LiveSearchParameters;
  readonly storage: ParameterStoreParts['storage'];
  readonly scopeOf: (partition: PartitionId) => PartitionScope;
  readonly assignmentOf: (partition: PartitionId) => PartitionAssignment;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  /** Partitions whose parameters are in memory at once; 100 if left out. */
  readonly mostLoaded?: number;
}

/** Tells that the parameters of a partition changed, or were about to, when it was first seen. */
interface Mark {
  readonly text: string;
  /** As `performance.now()`. */
  readonly seenAt: number;
}

/** What searches go by. */
export interface SearchedBy {
  readonly parameters: LiveSearchParameters;
  readonly referencesOf: (text: string) => IndexValues['references'];
}

const MOST_LOADED = 100;
/** A change may be committed this many milliseconds after its mark was seen. */
const UNSETTLED_MS = 60_000;

/** The parameters of one time that hold in a scope; where these change, `shared` or `own` is another object. */
export interface LayeredParameters {
  readonly shared: object;
  readonly own: object;
  readonly list: (resourceType: string) => readonly RegisteredSearchParameter[];
}

type Answer = LiveSearchParameters | Promise<LiveSearchParameters>;

/**
 * The search parameters in force in each partition: its own laid upon the shared ones. A partition that never had any
 * costs nothing. Those of others are read when they are first asked for, and read anew when another server says that
 * they changed.
 */
export class PartitionParameters {
  private marks: ReadonlyMap<PartitionId, Mark> = new Map();
  private readonly loaded: LRUCache<PartitionId, LiveSearchParameters>;
  private readonly loading = new Map<PartitionId, Promise<LiveSearchParameters>>();
  private readonly freshness = new Freshness(() => this.look());
  private changes = 0;
  /** The last change of each partition that has parameters, or had some. */
  private readonly changedAt = new Map<PartitionId, number>();

  constructor(private readonly parts: PartitionParametersParts) {
    this.loaded = new LRUCache({ max: parts.mostLoaded ?? MOST_LOADED });
  }

  /** Moves with every change that this server has seen; see `isChangedSince`. */
  get revision(): number {
    return this.changes;
  }

  /** Whether parameters of one of the partitions have changed: those of others must not hold anybody up. */
  isChangedSince(revision: number, partitions: Iterable<PartitionId>): boolean {
    if (this.changes === revision) return false;
    for (const partition of partitions) if ((this.changedAt.get(partition) ?? 0) > revision) return true;
    return false;
  }

  /** What the partition is indexed by, and is in force there; a promise only where it has to be read. */
  of(partition: PartitionId): Answer {
    if (!this.marks.has(partition)) return this.parts.shared;
    return this.loaded.get(partition) ?? this.load(partition);
  }

  /** Parameters of the partition's own, as the database has them now; undefined where it has none. */
  async own(partition: PartitionId): Promise<LiveSearchParameters | undefined> {
    await this.refresh();
    const live = await this.of(partition);
    return live === this.parts.shared ? undefined : live;
  }

  /** Index values by what is in force in the partition at the time, for work that takes long. */
  async indexer(partition: PartitionId): Promise<(resource: Resource) => IndexValues> {
    let last = await this.of(partition);
    return (resource) => {
      const now = this.of(partition);
      if (!(now instanceof Promise)) last = now;
      return extractIndexValues(resource, last.current);
    };
  }

  /**
   * What searches of the scope go by: one partition's own, or, where there are several or definitions are looked at that
   * are kept for everybody, those that hold everywhere.
   */
  ofScope({ partitions, all, types }: PartitionScope): Answer {
    const { isEnabled, shared } = this.parts;
    const [only, ...others] = partitions;
    const isOne = only !== undefined && others.length === 0 && !all && types === null;
    return isOne && isEnabled ? this.of(only) : shared;
  }

  /** The same, with the references that a stored resource is indexed by. */
  async searchedBy(scope: PartitionScope): Promise<SearchedBy> {
    const parameters = await this.ofScope(scope);
    const referencesOf: SearchedBy['referencesOf'] = (text) =>
      extractIndexValues(parseStored(text) as Resource, parameters.current).references;
    return { parameters, referencesOf };
  }

  /** The parameters that searches in the scope go by: types that are kept in DEFAULT are searched there. */
  async byType(scope: PartitionScope): Promise<LayeredParameters> {
    const own = (await this.ofScope(scope)).current;
    const shared = this.parts.shared.current;
    return { shared, own, list: (type) => (NON_PARTITIONABLE_TYPES.has(type) ? shared : own).list(type) };
  }

  /** What parameters of the partition are judged by, as the database has it now, also where it has none yet. */
  async judges(partition: PartitionId): Promise<LiveSearchParameters> {
    const known = await this.own(partition);
    if (!known) return this.make(partition);
    if (await known.refresh()) this.change(partition);
    return known;
  }

  /** Takes over what has changed in the database. */
  refresh(): Promise<void> {
    return this.freshness.refresh();
  }

  /** See Freshness. */
  noticeWrite(): Promise<void> {
    return this.freshness.noticeWrite();
  }

  /** See Freshness. */
  fresh(): Promise<void> | undefined {
    return this.freshness.fresh();
  }

  /** What is known of the partition was another's that had its id. */
  forget(partition: PartitionId): void {
    this.loaded.delete(partition);
    this.loading.delete(partition);
    this.change(partition);
  }

  private change(partition: PartitionId): void {
    this.changedAt.set(partition, ++this.changes);
  }

  private async look(): Promise<void> {
    const found = await this.parts.storage.settings(`${PARAMETERS_CHANGED}@`);
    const now = performance.now();
    const before = this.marks;
    this.marks = new Map(
      [...found].map(([key, text]) => {
        const partition = partitionOfSetting(PARAMETERS_CHANGED, key);
        const known = before.get(partition);
        return [partition, known?.text === text ? known : { text, seenAt: now }];
      }),
    );
    for (const [partition, mark] of this.marks) if (before.get(partition) !== mark) this.change(partition);
    for (const partition of before.keys()) if (!this.marks.has(partition)) this.forget(partition);
    const loaded = [...this.loaded];
    for (const [partition, live] of loaded) {
      const { seenAt = -Infinity } = this.marks.get(partition) ?? {};
      if (now - seenAt < UNSETTLED_MS) await this.renew(partition, live);
    }
  }

  /** A partition that can't be read is read when it is next asked for: others must not wait for it. */
  private async renew(partition: PartitionId, live: LiveSearchParameters): Promise<void> {
    try {
      if (await live.refresh()) this.change(partition);
    } catch {
      this.forget(partition);
    }
  }

  private load(partition: PartitionId): Promise<LiveSearchParameters> {
    const known = this.loading.get(partition);
    if (known) return known;
    const loading = this.make(partition)
      .then((made) => {
        if (this.loading.get(partition) === loading) this.loaded.set(partition, made);
        return made;
      })
      .finally(() => {
        if (this.loading.get(partition) === loading) this.loading.delete(partition);
      });
    this.loading.set(partition, loading);
    return loading;
  }

  private async make(partition: PartitionId): Promise<LiveSearchParameters> {
    const { isEnabled: isInForce, shared, storage, scopeOf, assignmentOf, clock } = this.parts;
    const made = new LiveSearchParameters({
      foundation: shared,
      storage,
      partition,
      scope: scopeOf(partition),
      assignment: assignmentOf(partition),
      clock,
      isInForce,
    });
    await made.refresh();
    return made;
  }
}
