import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../model/errors.js';
import type { Partition } from '../model/partition.js';
import type { Bulkhead } from '../server.js';
import { CommandError, InterruptedError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { withServer } from './open-server.js';
import { type Flags, settingsOf } from './setting-flags.js';
import { formatTable } from './table.js';
import type { Terminal } from './terminal.js';

const POLL_MS = 50;

/** `bulkhead partition create NAME [--id N] [--description D]`. */
export function createPartition(terminal: Terminal, name: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions }) => {
    const id = flags.id === undefined ? {} : { id: toPartitionId(flags.id) };
    const created = await partitions.create({ name, ...id, ...descriptionOf(flags) });
    terminal.print(`Created partition ${created.name} with id ${created.id}.`);
  });
}

/** `bulkhead partition list`: DEFAULT first. */
export function listPartitions(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions }) => {
    const rows = partitions.list().map(({ id, name, description = '' }) => [String(id), name, description]);
    formatTable(['ID', 'NAME', 'DESCRIPTION'], rows).forEach(terminal.print);
  });
}

/** `bulkhead partition update NAME [--name NEW] [--description D]`: what is left out stays as it is. */
export function updatePartition(terminal: Terminal, name: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions }) => {
    const current = partitions.read({ name });
    const newName = typeof flags.name === 'string' ? flags.name : current.name;
    const changed = await partitions.update({ ...current, name: newName, ...descriptionOf(flags) });
    terminal.print(`Partition ${changed.id} is now ${describe(changed)}.`);
  });
}

/** `bulkhead partition delete NAME [--purge]`: with `--purge` everything that the partition holds goes first. */
export function deletePartition(terminal: Terminal, name: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async (server) => {
    const { id } = server.partitions.read({ name });
    if (flags.purge !== true) await deleteEmpty(server, name, id);
    else terminal.print(`Left in partition ${name}: ${await purge(server, id, terminal.stopSignal())}.`);
    terminal.print(`Deleted partition ${name} with id ${id}.`);
  });
}

async function manage(
  terminal: Terminal,
  flags: Flags,
  work: (server: Bulkhead) => Promise<void>,
): Promise<ExitCode> {
  await withServer(await settingsOf(terminal, flags), work);
  return EXIT.ok;
}

async function deleteEmpty({ partitions }: Bulkhead, name: string, id: number): Promise<void> {
  try {
    await partitions.delete(id);
  } catch (cause) {
    if (!(cause instanceof FhirError) || cause.code !== 'PARTITION_NOT_EMPTY') throw cause;
    const [what = cause.message] = cause.message.split('. ');
    throw new CommandError(`${what}. To delete all of it: bulkhead partition delete ${name} --purge`, {
      cause,
    });
  }
}

/** Waits for the purge job to end; answers what is left, as text. */
async function purge({ partitions, parts }: Bulkhead, id: number, stopped: AbortSignal): Promise<string> {
  const started = await partitions.startPurge(id);
  for (;;) {
    const job = (await parts.partitions.jobs()).find((one) => one.id === started.id);
    if (job?.state === 'done')
      return Object.entries(job.result?.left ?? {})
        .map(toCount)
        .join(', ');
    if (stopped.aborted) throw new InterruptedError('The next server that starts goes on with the purge.');
    await pause(POLL_MS);
  }
}

/** `indexRows` and 0 to `0 index rows`. */
function toCount([what, count]: readonly [string, unknown]): string {
  return `${String(count)} ${what.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`;
}

function toPartitionId(text: unknown): number {
  if (/^-?\d{1,10}$/.test(String(text))) return Number(text);
  throw new CommandError(`--id: ${JSON.stringify(text)} is not an integer.`);
}

function descriptionOf({ description }: Flags): { readonly description?: string } {
  return typeof description === 'string' ? { description } : {};
}

function describe({ name, description }: Partition): string {
  return description === undefined ? name : `${name} (${description})`;
}
