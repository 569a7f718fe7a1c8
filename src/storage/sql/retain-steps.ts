import type { RetainedRows } from '../placement/home.js';
import { INDEX_TABLES, type ResourceTable } from './tables.js';

/** Tables that a retention walks through. What is being sent is left to the sweep of blobs. */
export type RetainedTable = Exclude<ResourceTable, 'HFJ_BINARY_STAGE'>;

/** What of a table still belongs to a resource. */
export interface OwnedRows {
  /** SQL that holds for rows whose resource is there: it was written while others were deleted, and keeps all its rows. */
  readonly inUse: string;
}

/** SQL of what a row of a table stands for in what its partition holds; rows of the others stand for nothing. */
export const HELD_BY_ROWS: Readonly<Partial<Record<RetainedTable, HeldByRow>>> = {
  HFJ_RESOURCE: {
    resources: 'case when RES_DELETED_AT is null then 1 else 0 end',
    bytes: 'coalesce(octet_length(RES_TEXT), 0)',
  },
  HFJ_RES_VER: { resources: '0', bytes: 'coalesce(octet_length(RES_TEXT), 0)' },
  HFJ_BINARY_CHUNK: { resources: '0', bytes: 'octet_length(CHUNK_DATA)' },
};

interface HeldByRow {
  readonly resources: string;
  readonly bytes: string;
}

/** How long before a retention content may have been sent whose resource comes during it; in milliseconds. */
export const LONGEST_UPLOAD_MS = 24 * 60 * 60 * 1000;

/**
 * The walks of a retention in their order. Index rows go first: a search takes as many of them as a page needs and
 * would find fewer resources than there are where some lead nowhere. Then resources go, then what is left: of versions,
 * and of what was written meanwhile.
 */
export function retainSteps<Walked extends OwnedRows>(
  walked: Readonly<Record<RetainedTable, Walked>>,
): readonly (readonly [table: RetainedTable, walked: Walked])[] {
  return [
    ...INDEX_TABLES.map((table) => [table, { ...walked[table], inUse: 'false' }] as const),
    ...(Object.entries(walked) as [RetainedTable, Walked][]),
  ];
}

/** What a retention tells of rows that it has deleted from a table. */
export function toRetained(table: RetainedTable, deleted: number): RetainedRows {
  const none = { resources: 0, versions: 0, indexRows: 0 };
  if (table === 'HFJ_RESOURCE') return { ...none, resources: deleted };
  return table === 'HFJ_RES_VER' ? { ...none, versions: deleted } : { ...none, indexRows: deleted };
}
