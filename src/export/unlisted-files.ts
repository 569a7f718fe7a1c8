/** Files that were finished, but are no part of an export: what was to be saved with them was not. */
import type { ExportClaim, ExportFile, ExportJob } from '../storage/export-store.js';
import type { OutputStore } from '../storage/output-store.js';
import type { ExportParts } from './export-parts.js';
import { progressOf } from './export-progress.js';
import { tokenOf } from './manifest.js';

type Parts = Pick<ExportParts, 'jobs' | 'output' | 'scopeOf'>;

/** Removes files that will never be listed; never fails, as what is left is found again. */
export async function removeFiles(output: OutputStore, files: readonly ExportFile[]): Promise<void> {
  await Promise.allSettled(files.map(({ key }) => output.remove(key)));
}

/** Whether a claim before may have finished files in vain: by the count of those, which freezing begins anew. */
export function mayHaveLostFiles(job: ExportJob): boolean {
  const progress = progressOf(job);
  return job.attempts > 1 || (progress !== null && Object.keys(progress.parts).length === 0);
}

/**
 * Removes what earlier claims have left: their tokens can save nothing any more. The files of this claim, and of any
 * later one, are not touched.
 */
export function removeLostFiles(parts: Parts, { job, token }: ExportClaim): Promise<void> {
  return removeUnlisted(parts, job, (key) => tokenOf({ key }) < token);
}

/** Removes the files of a job that are not listed, and of which nobody can list any more those that `isLost` names. */
export async function removeUnlisted(
  { jobs, output, scopeOf }: Parts,
  { partition, id }: ExportJob,
  isLost: (key: string) => boolean,
): Promise<void> {
  const listed = new Set((await jobs.files(scopeOf(partition), id)).map(({ key }) => key));
  for await (const key of output.keys(partition, id))
    if (isLost(key) && !listed.has(key)) await output.remove(key);
}
