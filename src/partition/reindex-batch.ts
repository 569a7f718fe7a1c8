import { collectLiteralReferences } from '../fhir/references.js';
import type { IndexValues } from '../fhir/index-values.js';
import { parseStored } from '../fhir/json.js';
import type { PartitionId } from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import type { HomeRows, IndexSource, Reindexed } from '../storage/placement/home.js';
import { TimeSlice } from '../storage/time-slice.js';

/** Resources of one batch: what a batch holds in memory, and reads at once. */
const BATCH = { resources: 100, bytes: 512 * 1024 };
/** While one of them is being written by others, resources are taken one by one. */
const SINGLE = { resources: 1, bytes: 1 };
/** Index rows of one transaction: writers wait a few milliseconds at most. */
const MOST_ROWS = 1_000;

/** What makes index values of resources, by the parameters that are in force at the time. */
export interface ReindexBatchParts {
  readonly indexOf: (resource: Resource) => IndexValues;
}

/** Where a batch begins. */
export interface BatchStart {
  readonly partition: PartitionId;
  readonly type: string;
  /** The last id that was walked past; empty at the beginning. */
  readonly after: string;
  /** Whether somebody else writes the next resource at this moment. */
  readonly isContended: boolean;
}

/** A resource whose index values could not be worked out. */
export interface FailedResource {
  readonly id: string;
  readonly message: string;
}

/** What came of a batch. */
export interface BatchResult {
  /** Where the next batch begins; undefined: the type is done. */
  readonly after: string | undefined;
  readonly isContended: boolean;
  readonly seen: number;
  readonly added: number;
  readonly failures: readonly FailedResource[];
}

/** Brings the index rows of the next resources up to date, in transactions of bounded size. */
export async function reindexBatch(
  rows: HomeRows,
  { indexOf }: ReindexBatchParts,
  { partition, type, after, isContended }: BatchStart,
): Promise<BatchResult> {
  const sources = await rows.ofType(partition, { type, after }, isContended ? SINGLE : BATCH);
  const failures: FailedResource[] = [];
  const stale = new Set<number>();
  const slice = new TimeSlice();
  const group = new RowGroup();
  let added = 0;
  const flush = async (): Promise<void> => {
    const written = await rows.addIndexRows(partition, group.take());
    added += written.added;
    for (const rowId of written.stale) stale.add(rowId);
  };
  for (const source of sources) {
    const made = toReindexed(source, type, indexOf);
    if (made.kind === 'failed') failures.push({ id: source.id, message: made.message });
    if (made.kind === 'made') group.add(made.resource);
    if (group.isFull) await flush();
    if (slice.isOver()) await slice.yield();
  }
  if (!group.isEmpty) await flush();
  const done = untilStale(sources, stale);
  const isStale = done.length < sources.length;
  return {
    after: sources.length === 0 ? undefined : (done.at(-1)?.id ?? after),
    isContended: isStale,
    seen: done.length,
    added,
    failures: failures.filter(({ id }) => done.some((source) => source.id === id)),
  };
}

/** The walk goes on behind the first resource that was written meanwhile. */
function untilStale(sources: readonly IndexSource[], stale: ReadonlySet<number>): readonly IndexSource[] {
  const first = sources.findIndex(({ rowId }) => stale.has(rowId));
  return first < 0 ? sources : sources.slice(0, first);
}

type Made =
  | { readonly kind: 'made'; readonly resource: Reindexed }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'failed'; readonly message: string };

function toReindexed(source: IndexSource, type: string, indexOf: ReindexBatchParts['indexOf']): Made {
  const { rowId, version, date, text } = source;
  if (text === null) return { kind: 'deleted' };
  try {
    const resource = parseStored(text) as Resource;
    const references = collectLiteralReferences(resource);
    return {
      kind: 'made',
      resource: { rowId, version, date, type, index: indexOf(resource), references },
    };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

/** Resources whose rows are added in one transaction. */
class RowGroup {
  private resources: Reindexed[] = [];
  private count = 0;

  get isFull(): boolean {
    return this.count >= MOST_ROWS;
  }

  get isEmpty(): boolean {
    return this.resources.length === 0;
  }

  add(resource: Reindexed): void {
    this.resources.push(resource);
    const kinds = Object.values(resource.index) as readonly (readonly unknown[])[];
    this.count += kinds.reduce((sum, values) => sum + values.length, resource.references.length);
  }

  take(): readonly Reindexed[] {
    const taken = this.resources;
    this.resources = [];
    this.count = 0;
    return taken;
  }
}
