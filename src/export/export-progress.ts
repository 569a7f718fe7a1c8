import type { OutcomeIssue } from '../model/resource.js';
import type { ExportFile, ExportJob, VersionKey } from '../storage/export-store.js';

/** One type of an export: everything that its partition holds of it, or the resources of a list. */
export interface ExportStep {
  readonly type: string;
  readonly from: 'walk' | 'list';
}

/** How far an export is; its job keeps it. */
export interface ExportProgress {
  readonly steps: readonly ExportStep[];
  /** Index of the step that is worked on; all are done where there is none. */
  readonly step: number;
  /** Where the step goes on: of a walk, or the last row id of a list; null: at its beginning. */
  readonly after: VersionKey | number | null;
  /** Resources that were there when the export began, about. */
  readonly total: number;
  /** Resources that were looked at. */
  readonly done: number;
  /** Finished parts by kind and type. */
  readonly parts: Readonly<Record<string, number>>;
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

/** The same progress with these parts finished. */
export function withFiles(progress: ExportProgress, files: readonly ExportFile[]): ExportProgress {
  const parts = { ...progress.parts };
  for (const file of files) parts[partsKey(file)] = file.part;
  return { ...progress, parts };
}
