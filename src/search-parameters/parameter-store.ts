import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { PartitionAssignment, PartitionScope } from '../model/partition.js';
import type { RowKey, SearchPlan } from '../storage/search-store.js';
import type { Storage } from '../storage/storage.js';
import { PUBLISHED } from './official-parameters.js';
import { OWN_PATH_PREFIX, type OwnPath, ownPathKey } from './own-path.js';
import { type ParameterRecord, toRecord } from './parameter-record.js';
import { seedOfficialParameters } from './seed.js';

/** Where search parameters are kept. The scope and the assignment are DEFAULT's. */
export interface ParameterStoreParts {
  readonly storage: Pick<Storage, 'resources' | 'search' | 'setting' | 'settings' | 'saveSettings'>;
  readonly scope: PartitionScope;
  readonly assignment: PartitionAssignment;
}

/** What is in the database. */
export interface ParameterState {
  /** Equal only where no SearchParameter was written in between. */
  readonly versions: string;
  /** The paths as one text, equal only where they are. */
  readonly pathsText: string;
  readonly paths: ReadonlyMap<string, OwnPath>;
}

const TYPE = 'SearchParameter';
const PAGE = 500;
/**
 * Milliseconds that servers' clocks may differ, and that a write may take: a version that is older than the newest
 * one may still appear for that long.
 */
const LATE_MS = 60_000;

const CHANGED: SearchPlan = {
  type: TYPE,
  where: { kind: 'updated', test: { comparison: 'gt', low: PUBLISHED, high: PUBLISHED } },
  sort: [],
};

/** Reads SearchParameter resources, and the state of the paths that they need. */
export class ParameterStore {
  /** Update time of the newest version that was seen. */
  private newest = PUBLISHED;

  constructor(private readonly parts: ParameterStoreParts) {}

  seed(registry: SearchParameterRegistry): Promise<void> {
    return seedOfficialParameters({ ...this.parts, registry });
  }

  /** Two small queries, whatever the number of parameters. */
  async look(): Promise<ParameterState> {
    const { storage, scope } = this.parts;
    const since = Math.max(PUBLISHED + 1, this.newest - LATE_MS);
    const versions = await storage.resources.history(scope, { type: TYPE, since, count: PAGE });
    // Afterwards: the paths of a parameter are saved before it is.
    const settings = await storage.settings(OWN_PATH_PREFIX);
    this.newest = versions[0]?.updated ?? this.newest;
    const recent = versions.filter(({ updated }) => updated >= this.newest - LATE_MS);
    const paths = [...settings].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return {
      versions: JSON.stringify(recent.map(({ rowId, version }) => [rowId, version])),
      pathsText: JSON.stringify(paths),
      paths: new Map(paths.map(([key, value]) => [key, JSON.parse(value) as OwnPath])),
    };
  }

  /** The parameters that are not as they were published; the same objects for those that are in `known`. */
  async records(known: ReadonlyMap<string, ParameterRecord>): Promise<ReadonlyMap<string, ParameterRecord>> {
    const records = new Map<string, ParameterRecord>();
    let after: RowKey | undefined;
    do {
      const window = { count: PAGE, ...(after ? { after } : {}) };
      const rows = await this.parts.storage.search.page(this.parts.scope, CHANGED, window);
      for (const row of rows) {
        const before = known.get(row.id);
        records.set(row.id, before?.version === row.version ? before : toRecord(row));
      }
      after = rows.length === PAGE ? rows.at(-1)?.key : undefined;
    } while (after);
    return records;
  }

  async savePaths(paths: readonly OwnPath[]): Promise<void> {
    if (paths.length === 0) return;
    const values = new Map(paths.map((path) => [ownPathKey(path), JSON.stringify(path)]));
    await this.parts.storage.saveSettings(values);
  }
}
