import { parseStored } from '../fhir/json.js';
import type { PartitionScope } from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import type { IndexCondition, SearchStore } from '../storage/search-store.js';
import type { ResourceStore } from '../storage/store.js';
import type { TerminologySource, TerminologyType } from '../terminology/terminology-source.js';

/** What stored definitions are read with. */
export interface StoredDefinitionParts {
  readonly resources: ResourceStore;
  readonly search: SearchStore;
  /** DEFAULT's: definitions live there. */
  readonly scope: PartitionScope;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
}

const TYPES: readonly TerminologyType[] = ['CodeSystem', 'ValueSet'];
/** Where the canonical URL is indexed, whatever search parameters are in force. */
const URL_PATHS = ['url'];
const SUPPLEMENTED_PATHS = ['supplements'];
const VALUE_SET_PATHS = ['valueSet'];
/** Versions of one definition. */
const MOST_VERSIONS = 1000;
/** The database is asked for changes this often at most. */
const CHECK_MS = 500;
/** Servers' clocks may differ by so much. */
const SKEW_MS = 10 * 60_000;
/** Counting begins anew after this time, so that what is counted stays little. */
const EPOCH_MS = 10 * 60_000;

/** Code systems and value sets of the DEFAULT partition. */
export class StoredDefinitions implements TerminologySource {
  private checked: { readonly at: number; readonly revision: Promise<string> } | undefined;

  constructor(private readonly parts: StoredDefinitionParts) {}

  find(type: TerminologyType, url: string): Promise<readonly Resource[]> {
    return this.matching({ kind: 'index', index: 'uri', type, paths: URL_PATHS, tests: [{ value: url }] });
  }

  supplements(url: string): Promise<readonly Resource[]> {
    return this.matching({
      kind: 'index',
      index: 'reference',
      type: 'CodeSystem',
      paths: SUPPLEMENTED_PATHS,
      targetFilter: null,
      tests: [{ kind: 'url', url, anyVersion: true }],
    });
  }

  withValueSet(url: string): Promise<readonly Resource[]> {
    const paths = VALUE_SET_PATHS;
    return this.matching({ kind: 'index', index: 'uri', type: 'CodeSystem', paths, tests: [{ value: url }] });
  }

  private async matching(where: IndexCondition): Promise<readonly Resource[]> {
    const { search, scope } = this.parts;
    const rows = await search.page(scope, { type: where.type, where, sort: [] }, { count: MOST_VERSIONS });
    return rows.map(({ text }) => parseStored(text) as Resource);
  }

  async read(type: TerminologyType, id: string): Promise<Resource | undefined> {
    const [version] = await this.parts.resources.read(this.parts.scope, type, id);
    return version === undefined || version.text === null
      ? undefined
      : (parseStored(version.text) as Resource);
  }

  revision(): Promise<string> {
    const now = this.parts.clock();
    if (this.checked === undefined || Math.abs(now - this.checked.at) >= CHECK_MS) {
      const revision = this.countVersions(now);
      this.checked = { at: now, revision };
      revision.catch(() => this.forget());
    }
    return this.checked.revision;
  }

  forget(): void {
    this.checked = undefined;
  }

  /** Every write and every deletion is one version more since the epoch began. */
  private async countVersions(now: number): Promise<string> {
    const { resources, scope } = this.parts;
    const epoch = Math.floor(now / EPOCH_MS);
    const since = epoch * EPOCH_MS - SKEW_MS;
    const counts = TYPES.map((type) => resources.countHistory(scope, { type, since, count: 0 }));
    return [epoch, ...(await Promise.all(counts))].join('.');
  }
}
