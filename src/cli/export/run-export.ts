import { setTimeout as pause } from 'node:timers/promises';
import type { Exports } from '../../export/exports.js';
import { dispatch } from '../../interactions/dispatch.js';
import type { Bulkhead } from '../../running-server.js';
import type { OutputStore } from '../../storage/output-store.js';
import { CommandError, InterruptedError } from '../command-error.js';
import { type LocalRequest, toLocalRequest } from '../local-request.js';
import type { Terminal } from '../terminal.js';
import { displayExport, type ExportDisplay } from './export-progress.js';
import { openExports } from './open-exports.js';
import type { SingleExport } from './single-export.js';

/** What is exported, and where to. */
export interface AskedExport {
  readonly partition: string;
  readonly kickOff: LocalRequest;
  readonly output: OutputStore;
}

const POLL_MS = 50;

/**
 * Exports, by what a server's exports are made with, and answers the export once it is complete.
 * @throws FhirError for what cannot be asked for; CommandError, InterruptedError
 */
export async function runExport(
  server: Bulkhead,
  asked: AskedExport,
  terminal: Terminal,
): Promise<SingleExport> {
  const stopped = terminal.stopSignal();
  const { complain } = terminal;
  const { exports, single, assertInService } = openExports(server, { output: asked.output, complain });
  const display = displayExport(terminal);
  try {
    await dispatch({ ...server.parts, exports }, toLocalRequest(server, asked.partition, asked.kickOff));
    await follow(single, { exports, display, stopped });
    await assertInService(single.job.partition);
    return single;
  } finally {
    await exports.stop();
    display.stop();
  }
}

async function follow(
  single: SingleExport,
  {
    exports,
    display,
    stopped,
  }: { readonly exports: Exports; readonly display: ExportDisplay; readonly stopped: AbortSignal },
): Promise<void> {
  for (;;) {
    const { state, error } = single.job;
    if (state === 'complete') return;
    if (state === 'failed') throw new CommandError(error ?? 'The export has failed.');
    if (stopped.aborted) throw new InterruptedError('Stopped before the end. Nothing was exported.');
    display.show(single.progress);
    exports.runner.wake();
    await pause(POLL_MS);
  }
}
