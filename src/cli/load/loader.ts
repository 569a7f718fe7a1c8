import { type FailedFile, FailureList, positionsOf } from './failed-file.js';
import { loadInOrder } from './load-in-order.js';
import { loadUnit } from './load-unit.js';
import type { Progress } from './progress.js';
import { readUnits } from './read-units.js';
import { DELETIONS_STAGE, type SourceFile } from './source-files.js';
import { Tally } from './tally.js';
import type { LoadTarget } from './target.js';

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
  readonly deleted: number;
  readonly failed: readonly FailedFile[];
}

/**
 * Loads files stage by stage, then again what failed: it may have referred to what came later. Deletions come after
 * all that, and may make way for what failed before.
 */
export async function load(options: LoadOptions): Promise<LoadSummary> {
  const tally = new Tally();
  const files = options.files.filter((file) => !isDeletion(file));
  const deletions = options.files.filter(isDeletion);
  let failed = await loadAgain(options, tally, await loadStages(options, tally, files));
  if (deletions.length > 0) {
    failed = [...failed, ...(await loadStages(options, tally, deletions))];
    failed = await loadAgain(options, tally, failed);
  }
  const { created, updated, unchanged, deleted } = tally;
  return { created, updated, unchanged, deleted, failed };
}

function isDeletion({ stage }: SourceFile): boolean {
  return stage === DELETIONS_STAGE;
}

/** As long as that gets something more through. */
async function loadAgain(
  options: LoadOptions,
  tally: Tally,
  failed: readonly FailedFile[],
): Promise<readonly FailedFile[]> {
  const { target, stopped } = options;
  const silent: LoadOptions = { ...options, progress: { ...options.progress, addBytes: () => undefined } };
  let left = failed;
  while (left.length > 0 && !stopped.aborted) {
    const before = countOf(left);
    const documents = left
      .filter(({ file }) => file.format !== 'ndjson')
      .map((failure) => ({ file: failure.file, before: failure }));
    const lines = left.filter(({ file }) => file.format === 'ndjson');
    left = [
      ...(await loadAll(silent, tally, documents)),
      ...(await loadInOrder({ target, tally, failed: lines, stopped })),
    ];
    if (countOf(left) >= before) break;
  }
  return left;
}

/** A file, and what failed of it before; without that, all of it. */
interface Work {
  readonly file: SourceFile;
  readonly before?: FailedFile;
}

async function loadStages(
  options: LoadOptions,
  tally: Tally,
  files: readonly SourceFile[],
): Promise<readonly FailedFile[]> {
  const failed: FailedFile[] = [];
  for (const stage of new Set(files.map((file) => file.stage))) {
    const work = files.filter((file) => file.stage === stage).map((file) => ({ file }));
    failed.push(...(await loadAll(options, tally, work)));
  }
  return failed;
}

async function loadAll(
  options: LoadOptions,
  tally: Tally,
  work: readonly Work[],
): Promise<readonly FailedFile[]> {
  const failures = new FailureList();
  const queue = work.values();
  const worker = async (): Promise<void> => {
    for (const next of queue) {
      if (options.stopped.aborted) return;
      await loadFile(options, tally, { work: next, failures });
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return failures.all();
}

async function loadFile(
  { target, progress, stopped }: LoadOptions,
  tally: Tally,
  { work, failures }: { readonly work: Work; readonly failures: FailureList },
): Promise<void> {
  const { file } = work;
  const isFirst = work.before === undefined;
  const only = work.before && positionsOf(work.before);
  try {
    for await (const unit of readUnits(file, { ...(only && { only }), onBytes: progress.addBytes })) {
      const report = await loadUnit(target, unit);
      tally.add(isFirst ? report : { ...report, unchanged: 0 });
      for (const failure of report.failures) failures.add(file, failure);
      if (isFirst) progress.addResources(unit.entries.length);
      if (stopped.aborted) break;
    }
  } catch (error) {
    failures.add(file, { position: undefined, what: undefined, resources: 1, reason: textOf(error) });
  }
}

function countOf(failed: readonly FailedFile[]): number {
  return failed.reduce((count, { resources }) => count + resources, 0);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
