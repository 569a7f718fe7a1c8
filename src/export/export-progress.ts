import type { OutcomeIssue } from '../model/resource.js';
import type { ExportFile, ExportJob, VersionKey } from '../storage/export-store.js';

/** One type of an export, and where its resources are from; or all that is told of patients one by one. */
export type ExportStep =
  /** Everything that the partition holds; the resources of a list; of a list what was deleted alone. */
  | { readonly from: 'walk' | 'list' | 'deletions'; readonly type: string }
  /** A block for each patient, with resources of these types. */
  | { readonly from: 'blocks'; readonly type: 'Patient'; readonly types: readonly string[] };

/** A place in blocks. */
export interface BlockKey {
  /** Row id of the patient. */
  readonly patient: number;
  /** Index of the type that goes on; the block is at its end where there is none. */
  readonly type: number;
  /** The last row id of the type. */
  readonly row: number;
}

/** Where a step goes on: of a walk, after the last row id of a list, or in blocks; null: at its beginning. */
export type StepKey = VersionKey | number | BlockKey | null;

/** How far an export is; its job keeps it. */
export interface ExportProgress {
  readonly steps: readonly ExportStep[];
  /** Index of the step that is worked on; all are done where there is none. */
  readonly step: number;
  readonly after: StepKey;
  /** Resources that were there when the export began, about. */
  readonly total: number;
  /** Resources that were looked at. */
  readonly done: number;
  /** Finished parts by kind and type. */
  readonly parts: Readonly<Record<string, number>>;
  /** Parts of the output whose last block goes on in the next one. */
  readonly continued: readonly number[];
  /** What the client is told at the end. */
  readonly issues: readonly OutcomeIssue[];
}

/** The progress of a job that was frozen. */
export function progressOf({ progress }: Pick<ExportJob, 'progress'>): ExportProgress | null {
  return progress === null ? null : (JSON.parse(progress) as ExportProgress);
}

/** Whole percent; 100 only once the job is complete. */
export function percentOf({ total, done, step, steps }: ExportProgress): number {
  const share = total === 0 ? step / Math.max(1, steps.length) : done / total;
  return Math.min(99, Math.floor(share * 100));
}

/** Name of a kind and type among `parts`. */
export function partsKey({ kind, type }: Pick<ExportFile, 'kind' | 'type'>): string {
  return `${kind} ${type}`;
}
