import type { PartitionId, PartitionScope } from '../model/partition.js';
import type { SearchPlan, SearchStore } from './search-store.js';
import type { ResourceStore } from './store.js';

/** `waiting`: nobody works on it now. `running`: somebody has its lease. The others are final. */
export type ExportState = 'waiting' | 'running' | 'complete' | 'failed' | 'cancelled';

/** A bulk export as it was asked for; never changes. */
export interface NewExportJob {
  /** UUID. */
  readonly id: string;
  /** The one partition that it reads, and in which it is looked for. */
  readonly partition: PartitionId;
  /** Who asked: status, files and cancelling are theirs alone; null where callers are not told apart. */
  readonly owner: string | null;
  /** What was asked for, checked: JSON of the export layer's own. */
  readonly request: string;
  /** Milliseconds since 1970 UTC. */
  readonly created: number;
}

/** An export as it is stored. */
export interface ExportJob extends NewExportJob {
  readonly state: ExportState;
  /** Transaction time in milliseconds since 1970; null until it is frozen. */
  readonly at: number | null;
  /** How far it is: JSON of the export layer's own; null at the beginning. */
  readonly progress: string | null;
  /** Why it failed, in words for whoever asked for it. */
  readonly error: string | null;
  /** Claims since it last came further. */
  readonly attempts: number;
  /** When it ended; null while it has not. */
  readonly ended: number | null;
}

/** The right to work on an export. Every change of it carries the token, and is refused once another has it. */
export interface ExportClaim {
  readonly job: ExportJob;
  readonly token: number;
}

/** A finished part of the output. */
export interface ExportFile {
  readonly kind: 'output' | 'deleted' | 'error';
  /** Of its lines: a resource type, `Bundle` for `deleted`, `OperationOutcome` for `error`. */
  readonly type: string;
  /** Counts from 1 within kind and type. */
  readonly part: number;
  /** In the output store. */
  readonly key: string;
  readonly bytes: number;
  /** Lines, without the headers of blocks. */
  readonly count: number;
}

/** Resources by their row ids, and the list of an export that they are on: that of a type, or one of another name. */
export interface MatchList {
  readonly list: string;
  readonly rowIds: readonly number[];
}

/**
 * The jobs of bulk exports with their files and lists of resources, in the main database. Changes by a claim answer
 * false, and change nothing, where its token is not the job's any more.
 */
export interface ExportJobStore {
  /** Answers false, and stores nothing, where the partition has `most` jobs that have not ended: one transaction. */
  create(job: NewExportJob, most: number): Promise<boolean>;
  /** How many jobs of the partition have not ended. */
  countOpen(partition: PartitionId): Promise<number>;
  find(scope: PartitionScope, id: string): Promise<ExportJob | undefined>;
  files(scope: PartitionScope, id: string): Promise<readonly ExportFile[]>;
  /**
   * Takes a job that waits and is due, or whose lease has ended: first those of partitions that have the fewest running,
   * then those that were worked on longest ago. Two callers never get the same.
   */
  claim(owner: string, leaseMs: number): Promise<ExportClaim | undefined>;
  /** Whether there is a job that could be claimed. */
  hasDue(): Promise<boolean>;
  renew(claim: ExportClaim, leaseMs: number): Promise<boolean>;
  /** Sets the transaction time and the progress; lists of an earlier attempt to freeze are gone. */
  saveFrozen(claim: ExportClaim, at: number, progress: string): Promise<boolean>;
  /** Empties the job's lists, before they are made (anew). */
  clearMatches(claim: ExportClaim): Promise<boolean>;
  /** Adds resources to lists, to each of them once. Where it answers false, or rejects, some may have been added. */
  addMatches(claim: ExportClaim, lists: readonly MatchList[]): Promise<boolean>;
  /** Row ids of the list of a type above `after`, in order. */
  matches(claim: ExportClaim, type: string, after: number, limit: number): Promise<readonly number[]>;
  countMatches(claim: ExportClaim, type: string): Promise<number>;
  /** Files that are finished, and the progress behind them: both or neither. Counts as coming further: of the claims in vain there is this one alone, should it end in vain. */
  saveProgress(claim: ExportClaim, files: readonly ExportFile[], progress: string): Promise<boolean>;
  /** Gives the job back, to be claimed from `dueAt` (ms since 1970) on; `attempt: 'kept'`: it counts as one in vain. */
  release(claim: ExportClaim, dueAt: number, attempt: 'kept' | 'taken back'): Promise<boolean>;
  /** Ends the job, with its last files. */
  end(claim: ExportClaim, outcome: ExportOutcome): Promise<boolean>;
  /** Ends it for the client: whoever works on it loses the claim. False where it had ended, or is not in the scope. */
  cancel(scope: PartitionScope, id: string): Promise<boolean>;
  /** Jobs that ended before `before` (ms), or were cancelled at any time: to be removed, with their files. */
  removable(before: number, limit: number): Promise<readonly ExportJob[]>;
  /** Removes the rows of a job that has ended. */
  remove(job: Pick<ExportJob, 'id' | 'partition'>): Promise<void>;
  /** Cancels every job of a partition that is being purged. */
  cancelAll(partition: PartitionId): Promise<void>;
  /** Ids of all jobs of a partition, ended or not. */
  ids(partition: PartitionId): Promise<ReadonlySet<string>>;
}

/** How an export ended. */
export type ExportOutcome =
  | { readonly state: 'complete'; readonly files: readonly ExportFile[]; readonly progress: string }
  | { readonly state: 'failed'; readonly error: string };

/** A version's place in the order in which an export walks: by time, then by row id. */
export interface VersionKey {
  /** Milliseconds since 1970. */
  readonly updated: number;
  readonly rowId: number;
}

/** Which versions of a type an export walks. */
export interface VersionWalk {
  readonly type: string;
  /** Versions after this time (ms). */
  readonly since: number;
  /** Versions at or before this time (ms). */
  readonly until: number;
  /** Exclusive; null: from the beginning. */
  readonly after: VersionKey | null;
  /** Bytes of text that a page should not exceed by more than one resource. */
  readonly bytes: number;
}

/** A version in a page. */
export interface PageEntry {
  readonly rowId: number;
  readonly id: string;
  readonly version: number;
  readonly updated: number;
}

/** A part of a walk. */
export interface VersionPage {
  /** The stored texts as UTF-8, each ended by a line feed. */
  readonly lines: Uint8Array;
  /** Number of lines. */
  readonly count: number;
  /** What the lines are, in their order; empty unless `entries` were asked for. */
  readonly entries: readonly PageEntry[];
  /** Resources that were deleted at the time. */
  readonly deleted: readonly PageEntry[];
  /** Versions whose text is not one line of JSON. */
  readonly unreadable: readonly PageEntry[];
  /** Where the next page begins; null: there is none. */
  readonly next: VersionKey | null;
  /** Gives up the memory of the lines, which must not be looked at afterwards; it goes by itself where this is left out. */
  readonly release?: () => void;
}

/** Resources of a type, whose versions at one time are asked for. */
export interface VersionList {
  readonly type: string;
  /** In order, each once. */
  readonly rowIds: readonly number[];
  /** Milliseconds since 1970. */
  readonly until: number;
  /** As for a walk. */
  readonly bytes: number;
}

/** A part of such a list. */
export interface VersionListPage extends Omit<VersionPage, 'next'> {
  /** Row ids that there was no room for: to be asked for next. */
  readonly rest: readonly number[];
}

/** A search of everything that matches, however much that is. */
export interface SnapshotSearch extends SearchStore {
  /**
   * Row ids of all matches, each once and in order, some thousands at a time. It is one statement, which the database
   * works on while it is asked for more; the order of the plan is of no account. @throws FhirError SEARCH_TIMEOUT
   */
  rowIds(scope: PartitionScope, plan: SearchPlan): AsyncIterable<readonly number[]>;
}

/** The state of a partition at one moment, for as long as the function that is given it runs. */
export interface PartitionSnapshot {
  /** The moment: every version of it or before is seen, and none after it will ever be written. */
  readonly at: number;
  readonly search: SnapshotSearch;
  readonly resources: Pick<ResourceStore, 'read'>;
}

/** What a bulk export reads of a home. */
export interface HomeExports {
  /**
   * Fixes the present: waits for the writers of the partition that are under way, and makes all later ones write later
   * times, for ever. `work` reads the partition as it is at that moment, whatever is written meanwhile. It is done anew
   * from its beginning, at another moment, where the partition has moved to another home.
   * @throws FhirError UNKNOWN_PARTITION where the home does not serve the partition
   */
  freeze<Result>(
    partition: PartitionId,
    work: (snapshot: PartitionSnapshot) => Promise<Result>,
  ): Promise<Result>;
  /**
   * Of each resource of the type the version that was current at `until`, if it is from after `since`, in the order of
   * time and row id. Exact whatever is written meanwhile, once `until` was frozen: a version has its place in the order
   * for ever, and one statement sees both where it is current and where it is archived. With `deletions` only what was
   * deleted at the time comes, and no text is read.
   */
  walk(
    partition: PartitionId,
    walk: VersionWalk,
    detail: 'lines' | 'entries' | 'deletions',
  ): Promise<VersionPage>;
  /** The versions of these resources that were current at the time, in the order of row ids; with entries. */
  versionsAt(partition: PartitionId, list: VersionList): Promise<VersionListPage>;
  /** The last version with content, by row id, of resources that were deleted: what the deletion was of. */
  lastTexts(partition: PartitionId, entries: readonly PageEntry[]): Promise<ReadonlyMap<number, string>>;
  /** What the partition has by type, deletions included: an estimate for progress. Types that it has nothing of are left out. */
  countTypes(partition: PartitionId): Promise<ReadonlyMap<string, number>>;
}
