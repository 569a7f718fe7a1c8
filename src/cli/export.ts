import { performance } from 'node:perf_hooks';
import { requestOf } from '../export/export-request.js';
import { type Manifest, toManifest } from '../export/manifest.js';
import { DEFAULT_PARTITION_NAME } from '../model/partition.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { ExportFolder } from './export/export-folder.js';
import { exportLines, readIssues } from './export/export-summary.js';
import { toKickOff } from './export/kick-off.js';
import { runExport } from './export/run-export.js';
import type { SingleExport } from './export/single-export.js';
import { localPartitioning } from './local-request.js';
import { openServer } from './open-server.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/** Remarks that are told one by one; their file has all of them. */
const MOST_TOLD = 10;

/** `bulkhead export --partition NAME --out FOLDER`: all that a partition holds, or part of it, as NDJSON. */
export async function exportPartition(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const begun = performance.now();
  const packing = flags.gzip === true ? 'gzip' : 'plain';
  const folder = await ExportFolder.prepare(String(flags.out), { cwd: terminal.cwd, packing });
  const single = await exportTo(folder, terminal, flags).catch(async (error: unknown) => {
    await folder.discard();
    throw error;
  });
  await folder.finish(single.outputFiles, await manifestOf(single, folder));
  exportLines(single, (performance.now() - begun) / 1000).forEach(terminal.print);
  return tellRemarks(terminal, folder, single);
}

async function exportTo(folder: ExportFolder, terminal: Terminal, flags: Flags): Promise<SingleExport> {
  const kickOff = toKickOff(flags);
  const loaded = await settingsOf(terminal, flags);
  const partitioning = localPartitioning(loaded.settings.partitioning);
  const partition = typeof flags.partition === 'string' ? flags.partition : DEFAULT_PARTITION_NAME;
  const { server, close } = await openServer(loaded, { partitioning });
  try {
    return await runExport(server, { partition, kickOff, output: folder.output }, terminal);
  } finally {
    await close();
  }
}

/** As a client of the server gets it, but that files are told by their names. */
function manifestOf({ job, outputFiles }: SingleExport, folder: ExportFolder): Promise<Manifest> {
  return toManifest(outputFiles, {
    job,
    request: requestOf(job),
    requiresAccessToken: false,
    urlOf: (file) => Promise.resolve(folder.nameOf(file)),
    next: undefined,
  });
}

/** What was left out because it could not be read makes the command fail; other remarks do not. */
async function tellRemarks(
  { complain }: Terminal,
  folder: ExportFolder,
  { outputFiles }: SingleExport,
): Promise<ExitCode> {
  let told = 0;
  let errors = 0;
  for (const file of outputFiles.filter(({ kind }) => kind === 'error')) {
    for await (const { severity, diagnostics } of readIssues(folder.pathOf(file))) {
      if (severity === 'error' || severity === 'fatal') errors += 1;
      if (told++ < MOST_TOLD) complain(`${severity}: ${diagnostics ?? 'no details'}`);
    }
  }
  if (told > MOST_TOLD) complain(`and ${told - MOST_TOLD} more, see the files error.*`);
  return errors === 0 ? EXIT.ok : EXIT.failed;
}
