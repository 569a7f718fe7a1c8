import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import { randomUUID } from 'node:crypto';
import type { PartitionAssignment, PartitionId, PartitionScope } from '../model/partition.js';
import type { RowKey, SearchPlan } from '../storage/search-store.js';
import { partitionSetting } from '../storage/partition-setting.js';
import type { Storage } from '../storage/storage.js';
import { PUBLISHED } from './official-parameters.js';
import { type OwnPath, ownPathKey } from './own-path.js';
import { type ParameterRecord, toRecord } from './parameter-record.js';
import { seedOfficialParameters } from './seed.js';

/** Where search parameters are kept. The scope and the assignment are those of one partition. */
export interface ParameterStoreParts {
  readonly storage: Pick<Storage, 'resources' | 'search' | 'setting' | 'settings' | 'saveSettings'>;
  readonly scope: PartitionScope;
  readonly assignment: PartitionAssignment;
  /** Where the parameters hold for that partition alone; left out for DEFAULT's, which hold for all. */
  readonly partition?: PartitionId;
}

/** What is in the database. */
export interface ParameterState {
  /** Equal only where no SearchParameter was written in between. */
  readonly versions: string;
  /** The paths as one text, equal only where they are. */
  readonly pathsText: string;
  readonly paths: ReadonlyMap<string, OwnPath>;
}

/** Name of the setting of a partition that changes whenever its search parameters may. */
export const PARAMETERS_CHANGED = 'search-parameters';

const TYPE = 'SearchParameter';
/** Begin of the keys of own paths, and their name among the settings of a partition. */
const PATHS = 'search-path';
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

  private readonly pathPrefix: string;

  constructor(private readonly parts: ParameterStoreParts) {
    const { partition } = parts;
    this.pathPrefix = partition === undefined ? `${PATHS}:` : partitionSetting(PATHS, partition);
  }

  seed(registry: SearchParameterRegistry): Promise<void> {
    return seedOfficialParameters({ ...this.parts, registry });
  }

  /** Two small queries, whatever the number of parameters. */
  async look(): Promise<ParameterState> {
    const { storage, scope } = this.parts;
    const since = Math.max(PUBLISHED + 1, this.newest - LATE_MS);
    const versions = await storage.resources.history(scope, { type: TYPE, since, count: PAGE });
    // Afterwards: the paths of a parameter are saved before it is.
    const settings = await storage.settings(this.pathPrefix);
    this.newest = versions[0]?.updated ?? this.newest;
    const recent = versions.filter(({ updated }) => updated >= this.newest - LATE_MS);
    const paths = [...settings].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return {
      versions: JSON.stringify(recent.map(({ rowId, version }) => [rowId, version])),
      pathsText: JSON.stringify(paths),
      paths: new Map(
        paths.map(([key, value]) => [key.slice(this.pathPrefix.length), JSON.parse(value) as OwnPath]),
      ),
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

  /** Saves paths before their parameters are; other servers look at those of a partition only when they are told. */
  async savePaths(paths: readonly OwnPath[]): Promise<void> {
    const { storage, partition } = this.parts;
    const values = new Map(
      paths.map((path) => [`${this.pathPrefix}${ownPathKey(path)}`, JSON.stringify(path)]),
    );
    if (partition !== undefined) values.set(partitionSetting(PARAMETERS_CHANGED, partition), randomUUID());
    if (values.size > 0) await storage.saveSettings(values);
  }
}
