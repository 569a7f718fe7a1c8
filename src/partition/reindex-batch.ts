import { collectLiteralReferences } from '../fhir/references.js';
import { type IndexValues, NO_INDEX_VALUES } from '../fhir/index-values.js';
import { parseStored } from '../fhir/json.js';
import type { PartitionId } from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import type { HomeRows, IndexSource, Reindexed } from '../storage/placement/home.js';
import type { Pace } from './pace.js';

/** Resources of one batch: what a batch holds in memory, and reads at once. */
const BATCH = { resources: 100, bytes: 512 * 1024 };
/** While one of them is being written by others, resources are taken one by one. */
const SINGLE = { resources: 1, bytes: 1 };
/** Index rows of one transaction: writers wait a few milliseconds at most. */
const MOST_ROWS = 100;

type IndexOf = (resource: Resource) => IndexValues;

/** What makes index values of a partition's resources, by the parameters that are in force there at the time. */
export interface ReindexBatchParts {
  readonly indexer: (partition: PartitionId) => Promise<IndexOf>;
}

/** Where a batch begins. */
export interface BatchStart {
  readonly partition: PartitionId;
  readonly type: string;
  /** The last id that was walked past; empty at the beginning. */
  readonly after: string;
  /** Whether somebody else writes the next resource at this moment. */
  readonly isContended: boolean;
  /** When servers may have written without knowing all paths, in milliseconds since 1970; undefined: never. */
  readonly doubtful: { readonly since: number; readonly until: number } | undefined;
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
  { indexer, pace }: ReindexBatchParts & { readonly pace: Pace },
  start: BatchStart,
): Promise<BatchResult> {
  const { partition, type, after, isContended } = start;
  const sources = await rows.ofType(partition, { type, after }, isContended ? SINGLE : BATCH);
  const replaced = await replacedTexts(rows, start, sources);
  const indexOf = await indexer(partition);
  const failures: FailedResource[] = [];
  const stale = new Set<number>();
  const group = new RowGroup();
  let added = 0;
  const flush = async (): Promise<void> => {
    const written = await rows.addIndexRows(partition, group.take());
    added += written.added;
    for (const rowId of written.stale) stale.add(rowId);
  };
  for (const source of sources) {
    const made = toReindexed(source, { type, indexOf, replaced: replaced.get(source.rowId) ?? [] });
    if (made.kind === 'failed') failures.push({ id: source.id, message: made.message });
    if (made.kind === 'made') group.add(made.resource);
    if (group.isFull) await flush();
    await pace.rest();
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

/** Texts of versions that may have left rows behind, by the row id of their resource. */
async function replacedTexts(
  rows: HomeRows,
  { partition, doubtful }: BatchStart,
  sources: readonly IndexSource[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const texts = new Map<number, string[]>();
  const rowIds = sources.filter(({ version }) => version > 1).map(({ rowId }) => rowId);
  if (doubtful === undefined || rowIds.length === 0) return texts;
  for (let after = { rowId: 0, version: 0 }; ;) {
    const window = { ...doubtful, after, count: BATCH.resources };
    const page = await rows.replacedWithin(partition, rowIds, window);
    for (const { rowId, text } of page) texts.set(rowId, [...(texts.get(rowId) ?? []), text]);
    const last = page.at(-1);
    if (last === undefined) return texts;
    after = last;
  }
}

type Made =
  | { readonly kind: 'made'; readonly resource: Reindexed }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'failed'; readonly message: string };

function toReindexed(
  { rowId, version, date, text }: IndexSource,
  how: {
    readonly type: string;
    readonly indexOf: IndexOf;
    readonly replaced: readonly string[];
  },
): Made {
  const { type, indexOf, replaced } = how;
  if (text === null && replaced.length === 0) return { kind: 'deleted' };
  try {
    const resource = text === null ? undefined : (parseStored(text) as Resource);
    const index = resource ? indexOf(resource) : NO_INDEX_VALUES;
    const references = resource ? collectLiteralReferences(resource) : [];
    const outdated = replaced.map((before) => indexOf(parseStored(before) as Resource));
    return { kind: 'made', resource: { rowId, version, date, type, index, references, outdated } };
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
