import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { HookRegistry } from '../hooks/registry.js';
import type { TypeFilter } from '../model/bulk-export.js';
import type { PartitionId, PartitionScope } from '../model/partition.js';
import type { ExportJobStore, HomeExports } from '../storage/export-store.js';
import type { OutputStore } from '../storage/output-store.js';
import type { SearchPlan, SearchStore } from '../storage/search-store.js';

/** A filter, and what it is read with. */
export interface FilterQuestion {
  readonly store: SearchStore;
  readonly scope: PartitionScope;
  readonly filter: TypeFilter;
  /** Absolute references below it are the server's own. */
  readonly base: string;
}

/** What exports need of search, of which they know nothing else. */
export interface ExportSearch {
  /** What a filter finds; what has to be looked up first is looked up in the store. */
  plan(question: FilterQuestion): Promise<SearchPlan>;
  /** The search parameters by which a partition is indexed. */
  parametersOf(partition: PartitionId): Promise<SearchParameterRegistry>;
}

/** What exports work with. */
export interface ExportParts {
  readonly jobs: ExportJobStore;
  readonly homes: HomeExports;
  readonly output: OutputStore;
  readonly search: ExportSearch;
  readonly hooks: HookRegistry;
  readonly scopeOf: (partition: PartitionId) => PartitionScope;
  /** A Binary's line with the content that is not in its text; undefined where all of it is. */
  readonly wholeBinary: (partition: PartitionId, text: string) => AsyncIterable<Uint8Array> | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  readonly limits: ExportLimits;
  /** Log lines without clinical content. */
  readonly log: ExportLog;
}

/** How exports are worked on; times in milliseconds. */
export interface ExportLimits {
  /** Exports that this server works on at once; 0: none. */
  readonly workers: number;
  readonly lease: number;
  /** A part of the output ends when it has so many bytes. */
  readonly fileBytes: number;
  /** Claims in vain until an export fails. */
  readonly attempts: number;
  /** How long an export is kept after its end. */
  readonly lifetime: number;
}

/** Where exports tell what they do. */
export interface ExportLog {
  readonly info: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}
