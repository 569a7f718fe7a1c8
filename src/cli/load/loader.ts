import { loadUnit } from './load-unit.js';
import type { Progress } from './progress.js';
import { readUnits } from './read-units.js';
import type { SourceFile } from './source-files.js';
import type { LoadTarget } from './target.js';
import type { Failure } from './unit.js';

/** What to load, and how. */
export interface LoadOptions {
  readonly target: LoadTarget;
  /** In the order of their stages. */
  readonly files: readonly SourceFile[];
  /** Files at a time. */
  readonly concurrency: number;
  readonly progress: Progress;
  /** Aborted: what is under way is finished, and nothing new begun. */
  readonly stopped: AbortSignal;
}

/** What became of everything. */
export interface LoadSummary {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: readonly FailedFile[];
}

/** A file of which something could not be loaded. */
export interface FailedFile {
  readonly file: SourceFile;
  /** The first of them, in the order of the file. */
  readonly failures: readonly Failure[];
  /** Resources that were not loaded, including those of failures that are not listed. */
  readonly resources: number;
}

/** Failures of one file that are remembered; where there are more, the whole file is read again. */
const MOST_FAILURES = 10_000;

/**
 * Loads files stage by stage, then again what failed, as long as that gets something more through: it may have
 * referred to what came later.
 */
export async function load(options: LoadOptions): Promise<LoadSummary> {
  const tally = new Tally();
  const silent: LoadOptions = { ...options, progress: { ...options.progress, addBytes: () => undefined } };
  let failed = await loadStages(options, tally);
  while (failed.length > 0 && !options.stopped.aborted) {
    const before = countOf(failed);
    failed = await loadAll(silent, tally, failed);
    if (countOf(failed) >= before) break;
  }
  return { created: tally.created, updated: tally.updated, unchanged: tally.unchanged, failed };
}

class Tally {
  created = 0;
  updated = 0;
  unchanged = 0;
}

/** A file, and the positions to load of it: all if undefined. */
interface Work {
  readonly file: SourceFile;
  readonly failures?: readonly Failure[];
  readonly resources?: number;
}

async function loadStages(options: LoadOptions, tally: Tally): Promise<readonly FailedFile[]> {
  const failed: FailedFile[] = [];
  for (const stage of new Set(options.files.map((file) => file.stage))) {
    const work = options.files.filter((file) => file.stage === stage).map((file) => ({ file }));
    failed.push(...(await loadAll(options, tally, work)));
  }
  return failed;
}

async function loadAll(
  options: LoadOptions,
  tally: Tally,
  work: readonly Work[],
): Promise<readonly FailedFile[]> {
  const failed: FailedFile[] = [];
  const queue = work.values();
  const worker = async (): Promise<void> => {
    for (const next of queue) {
      if (options.stopped.aborted) return;
      const result = await loadFile(options, tally, next);
      if (result.resources > 0) failed.push(result);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return failed.toSorted((a, b) => a.file.stage - b.file.stage || (a.file.name < b.file.name ? -1 : 1));
}

async function loadFile(options: LoadOptions, tally: Tally, work: Work): Promise<FailedFile> {
  const { target, progress, stopped } = options;
  const failures: Failure[] = [];
  let resources = 0;
  const fail = (failure: Failure): void => {
    resources += failure.resources;
    if (failures.length < MOST_FAILURES) failures.push(failure);
  };
  try {
    for await (const unit of readUnits(work.file, { ...positionsOf(work), onBytes: progress.addBytes })) {
      const report = await loadUnit(target, unit);
      tally.created += report.created;
      tally.updated += report.updated;
      if (work.failures === undefined) tally.unchanged += report.unchanged;
      report.failures.forEach(fail);
      if (work.failures === undefined) progress.addResources(unit.entries.length);
      if (stopped.aborted) break;
    }
  } catch (error) {
    fail({ position: undefined, what: undefined, resources: 1, reason: textOf(error) });
  }
  return { file: work.file, failures, resources };
}

/** Only what failed, unless that is the whole file or more than was remembered. */
function positionsOf({ failures, resources }: Work): { readonly only?: ReadonlySet<number> } {
  if (failures === undefined || failures.length === MOST_FAILURES) return {};
  const positions = failures.flatMap(({ position }) => position ?? []);
  return positions.length === resources ? { only: new Set(positions) } : {};
}

function countOf(failed: readonly FailedFile[]): number {
  return failed.reduce((count, { resources }) => count + resources, 0);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
