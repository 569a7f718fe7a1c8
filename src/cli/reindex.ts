import { setTimeout as pause } from 'node:timers/promises';
import { typeNamed, typesOfParameter } from '../operations/reindex.js';
import { progressOf } from '../partition/reindex.js';
import type { ReindexTarget } from '../partition/reindex-parts.js';
import type { Bulkhead } from '../running-server.js';
import type { StoredJob } from '../storage/store.js';
import { InterruptedError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { withServer } from './open-server.js';
import { displayReindex, type ReindexDisplay } from './reindex-progress.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

const POLL_MS = 100;

/** `bulkhead reindex [--partition NAME] [--type TYPE]… [--parameter URL]…`: waits for the end. */
export async function reindex(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  return withServer(await settingsOf(terminal, flags), async (server) => {
    const stopped = terminal.stopSignal();
    const { id } = await server.parts.reindexing.start(await targetOf(server, flags));
    const display = displayReindex(terminal);
    const job = await follow(server, id, { stopped, display }).finally(display.stop);
    const { seen = 0, added = 0, failed = 0, failures = [] } = progressOf(job) ?? {};
    terminal.print(`Reindexed ${seen} resources: ${added} index rows were missing.`);
    if (job.state === 'done') return EXIT.ok;
    for (const failure of failures) terminal.complain(failure);
    terminal.complain(failed > 0 ? `${failed} resources could not be indexed.` : `The job was ${job.state}.`);
    return EXIT.failed;
  });
}

async function targetOf({ partitions, parts }: Bulkhead, flags: Flags): Promise<ReindexTarget> {
  const only = typeof flags.partition === 'string' ? partitions.read({ name: flags.partition }).id : null;
  const inForce = only === null ? parts.parameters : await parts.partitionParameters.of(only);
  const types = new Set([
    ...namesOf(flags.type).map((type) => typeNamed(type, '--type')),
    ...namesOf(flags.parameter).flatMap((url) => typesOfParameter(inForce, url)),
  ]);
  return {
    partitions: only === null ? null : [only],
    types: types.size === 0 ? null : [...types],
  };
}

/** Answers the job as it ended. */
async function follow(
  { parts: { reindexing } }: Bulkhead,
  id: string,
  { stopped, display }: { readonly stopped: AbortSignal; readonly display: ReindexDisplay },
): Promise<StoredJob> {
  for (;;) {
    const job = await reindexing.find(id);
    if (job && job.state !== 'running') return job;
    if (stopped.aborted) throw new InterruptedError('The next server that starts goes on with the reindex.');
    if (job) display.show(job);
    reindexing.wake();
    await pause(POLL_MS);
  }
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
