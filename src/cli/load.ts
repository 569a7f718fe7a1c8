import { performance } from 'node:perf_hooks';
import { DEFAULT_PARTITION_NAME } from '../model/partition.js';
import { CommandError, InterruptedError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { openDatabaseTarget } from './load/database-target.js';
import { openHttpTarget } from './load/http-target.js';
import { load, type LoadSummary } from './load/loader.js';
import { showProgress } from './load/progress.js';
import { findSourceFiles, type SourceFile } from './load/source-files.js';
import { summaryLines } from './load/summary.js';
import type { LoadTarget } from './load/target.js';
import { bearerTokenFrom } from './load/token-file.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/** `bulkhead load PATH… --partition NAME`: loads Bundles and resources; may be repeated without harm. */
export async function loadPaths(
  terminal: Terminal,
  paths: readonly string[],
  flags: Flags,
): Promise<ExitCode> {
  const concurrency = toConcurrency(flags.concurrency);
  const files = await findSourceFiles(paths, terminal.cwd);
  const target = await openTarget(terminal, flags);
  try {
    await assertReady(target, partitionOf(flags) ?? DEFAULT_PARTITION_NAME);
    const start = performance.now();
    const summary = await loadFiles({ terminal, target, files, concurrency });
    const seconds = (performance.now() - start) / 1000;
    summaryLines(summary, { files: files.length, seconds }).forEach(terminal.print);
    if (terminal.stopSignal().aborted) {
      throw new InterruptedError('Stopped before the end. Repeat the command to go on from here.');
    }
    return summary.failed.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await target.close();
  }
}

async function loadFiles({
  terminal,
  target,
  files,
  concurrency,
}: {
  readonly terminal: Terminal;
  readonly target: LoadTarget;
  readonly files: readonly SourceFile[];
  readonly concurrency: number;
}): Promise<LoadSummary> {
  const totalBytes = files.reduce((total, { bytes }) => total + bytes, 0);
  const progress = showProgress(terminal, totalBytes);
  try {
    return await load({ target, files, concurrency, progress, stopped: terminal.stopSignal() });
  } finally {
    progress.stop();
  }
}

async function openTarget(terminal: Terminal, flags: Flags): Promise<LoadTarget> {
  const partition = partitionOf(flags);
  const headers = flags.header as readonly string[];
  if (flags.url !== undefined) {
    const token =
      flags.tokenFile === undefined ? [] : [await bearerTokenFrom(terminal, String(flags.tokenFile))];
    return openHttpTarget({ base: String(flags.url), partition, headers: [...headers, ...token] });
  }
  if (headers.length > 0) throw new CommandError('--header goes with --url only.');
  if (flags.tokenFile !== undefined) throw new CommandError('--token-file goes with --url only.');
  return openDatabaseTarget(await settingsOf(terminal, flags), partition ?? DEFAULT_PARTITION_NAME);
}

/** Fails where there is no server or no such partition, before anything is read. */
async function assertReady(target: LoadTarget, partition: string): Promise<void> {
  const answer = await target.probe();
  if (answer.ok) return;
  const unknown = answer.reason.includes('UNKNOWN_PARTITION');
  throw new CommandError(
    answer.reason + (unknown ? ` Create it: bulkhead partition create ${partition}` : ''),
  );
}

function partitionOf({ partition }: Flags): string | undefined {
  return typeof partition === 'string' ? partition : undefined;
}

function toConcurrency(text: unknown): number {
  if (/^[1-9]\d?$/.test(String(text))) return Number(text);
  throw new CommandError(`--concurrency: ${JSON.stringify(text)} is not an integer from 1 to 99.`);
}
